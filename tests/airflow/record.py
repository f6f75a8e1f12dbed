"""Records what a real Airflow answers, for the tests that run without one: `python -m tests.airflow.record`.

Starts Airflow with the DAGs of this folder, lets the first runs end, and writes each answer to tests/data/airflow under
the path it was asked for. Paths and the name of this machine are replaced; nothing else is changed.
"""

import json
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.airflow.server import ROOT, Airflow

RECORDED = ROOT / "tests" / "data" / "airflow"


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
        host = (f'"{socket.gethostname()}"', '"worker"')
        for here, there in (host, (str(airflow.home), "/opt/airflow"), (str(ROOT), "/opt/pipelines")):
            body = body.replace(here, there)
        (RECORDED / f"{name}.json").write_text(body + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        server = Airflow(Path(folder))
        try:
            server.start()
            server.wait_for_first_runs()
            record(server)
        finally:
            server.stop()
