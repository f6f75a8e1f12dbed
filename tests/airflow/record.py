"""Records what a real Airflow answers and tells, for the tests that run without one: `python -m tests.airflow.record`.

Starts Airflow with the DAGs of this folder, lets the first runs end, and writes each answer to tests/data/airflow under
the path it was asked for, and what the OpenLineage provider sends of a night of `told` to `told.jsonl`. Paths and the name
of this machine are replaced; nothing else is changed.
"""

import gzip
import json
import re
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from tests.airflow.server import ROOT, Airflow

RECORDED = ROOT / "tests" / "data" / "airflow"
ENVIRONMENT = re.compile(r'/[^\s"\\]*(?=/lib/python[\d.]+/site-packages/)')
"""Where Airflow is installed, which need not be below this folder: it may be linked."""
AGAIN = {"dry_run": False, "dag_run_id": "night", "task_ids": [["check", 1]], "reset_dag_runs": True}
"""Clears what is broken in a night of `told`."""


def record(airflow: Airflow) -> None:
    """Ask for one of everything that X-Ops reads."""
    run = airflow.scheduled("trade_daily").partition("/")[2]
    in_run = f"/dags/trade_daily/dagRuns/{quote(run, safe='')}/taskInstances"
    paths = {
        "version": "/version",
        "health": "/monitor/health",
        "dags": "/dags",
        "tasks": "/dags/trade_daily/tasks",
        "assets": "/assets",
        "events": "/assets/events?order_by=-timestamp",
        "instances": in_run,
        "failed": f"{in_run}/transform",
        "log": f"{in_run}/transform/logs/1?full_content=true",
        "mapped": "/dags/parts/dagRuns/recorded/taskInstances/copy/1",
    }
    airflow.trigger("parts", "recorded")
    airflow.wait_until_idle()
    for name, path in paths.items():
        body = json.dumps(airflow.api("GET", path), indent=1, ensure_ascii=False)
        write(airflow, f"{name}.json", body)


def record_told(airflow: Airflow) -> None:
    """Let a night of `told` fail, repair it, run what failed again; then set it failed and successful by hand."""
    with listening(airflow.listener) as told:
        airflow.trigger("told", "night")
        airflow.wait_until_idle()
        (airflow.fixes / "told").touch()
        airflow.api("POST", "/dags/told/clearTaskInstances", AGAIN)
        airflow.wait_until_idle()
        for state in ("failed", "success"):
            airflow.api("PATCH", f"{airflow.path('told/night/check')}/1", {"new_state": state})
        airflow.stop()
    write(airflow, "told.jsonl", "\n".join(json.dumps(one) for one in told))


@contextmanager
def listening(port: int) -> Generator[list[object]]:
    """Whatever is sent to a port."""
    told: list[object] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", port), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield told
        server.shutdown()


def write(airflow: Airflow, name: str, body: str) -> None:
    """Keep something, without what says where it was recorded."""
    host = (f'"{socket.gethostname()}"', '"worker"')
    for here, there in (host, (str(airflow.home), "/opt/airflow"), (str(ROOT), "/opt/pipelines")):
        body = body.replace(here, there)
    (RECORDED / name).write_text(ENVIRONMENT.sub("/opt/environment", body) + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        server = Airflow(Path(folder), by_hand=True)
        try:
            server.start()
            server.wait_for_first_runs()
            record(server)
            record_told(server)
        finally:
            server.stop()
