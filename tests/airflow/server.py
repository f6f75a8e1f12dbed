"""A real Airflow on this machine: api-server, dag-processor and scheduler, on free ports, over SQLite in one folder."""

import base64
import hmac
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXECUTABLE = ROOT / ".airflow" / "bin" / "airflow"
USERS = ("admin", "op", "viewer")
"""Each is also its own role and password."""
SIGNING_KEY = "known to the tests, which make tokens that have expired" + "." * 16
LINEAGE_KEY = "the key of the tests' lineage"
NAMESPACE = "warehouse"
ENDED = frozenset({"success", "failed"})
READY_SECONDS = 180.0


class Airflow:
    """Starts and stops the processes, and triggers runs as a data engineer would.

    Args:
        home: empty folder for everything Airflow writes.
        by_hand: whether the API server tells of states that a person sets. It forks for that, and the child holds connections
            that the server closes later: a client that uses one again waits in vain.

    Attributes:
        url: of its API and pages.
        fixes: folder in which tasks look for what a person repaired.
        listener: port to which DAGs with `enable_lineage` send OpenLineage events, for whoever listens there.
    """

    def __init__(self, home: Path, *, by_hand: bool = False) -> None:
        self.home = home
        self._by_hand = by_hand
        self._port = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._token = ""
        self.url = f"http://127.0.0.1:{self._port}"
        self.fixes = home / "fixes"
        self.listener = free_port()

    def start(self) -> None:
        """Return once the API answers, the DAGs are parsed and the scheduler beats; 12 s on two cores.

        The scheduler comes last: tasks it hands out before the API listens fail without a start date.
        """
        if not EXECUTABLE.exists():
            raise RuntimeError("Airflow is not installed: run `make test-airflow`, which installs it into .airflow")
        self.fixes.mkdir(parents=True)
        (self.home / "passwords.json").write_text(json.dumps({name: name for name in USERS}))
        subprocess.run([EXECUTABLE, "db", "migrate"], env=self._environment(), check=True, stdout=subprocess.DEVNULL)
        self._spawn("api-server", AIRFLOW__OPENLINEAGE__DISABLED=str(not self._by_hand))
        self._spawn("dag-processor")
        self._wait(lambda: self._answers("/api/v2/version"), "the API to answer")
        self._token = self.token()
        expected = {path.stem for path in (ROOT / "tests" / "airflow" / "dags").glob("*.py")}
        self._wait(lambda: expected <= self._dags(), "the DAGs to be parsed")
        self._spawn("scheduler")
        self._wait(self._scheduler_beats, "the scheduler to beat")

    def wait_for_first_runs(self) -> None:
        """Return once the runs that the schedules ask for at start have ended."""
        due = {self.scheduled("trade_daily", days_ago=1), self.scheduled("trade_daily"), self.scheduled("daily_stats")}
        self._wait(lambda: due <= self._runs(ended=True), "the first runs to end")

    def wait_until_idle(self) -> None:
        """Return once every run there is has ended."""
        self._wait(lambda: not self._runs(ended=False), "all runs to end")

    def wait_until_backfilled(self, dag: str) -> None:
        """Return once no backfill of a DAG is open. Airflow allows one, and closes it up to 30 s after its last run."""
        self._wait(
            lambda: all(one["completed_at"] for one in self.api("GET", f"/backfills?dag_id={dag}")["backfills"]),
            f"the backfills of {dag} to be closed",
        )

    def stop(self) -> None:
        """End every process group, politely first."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def token(self, user: str = "admin") -> str:
        """A fresh bearer token of one of `USERS`."""
        answer = self._call("POST", "/auth/token", {"username": user, "password": user})
        return str(answer["access_token"])

    def scheduled(self, dag: str, *, days_ago: int = 0) -> str:
        """Id of the scheduled run of a day, `dag/run`. DAGs here are due at midnight UTC."""
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return f"{dag}/scheduled__{(midnight - timedelta(days=days_ago)).isoformat()}"

    def expired_token(self) -> str:
        """A token that was good yesterday: signed by this Airflow's key, for the role `op`."""
        claims = json.loads(_decoded(self.token("op").split(".")[1]))
        signed = f"{_encoded({'alg': 'HS512', 'typ': 'JWT'})}.{_encoded(claims | {'exp': claims['iat'] - 86400})}"
        signature = hmac.digest(SIGNING_KEY.encode(), signed.encode(), "sha512")
        return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def trigger(self, dag: str, run: str) -> None:
        """Start a run by hand, under an id of our choosing."""
        self.api("POST", f"/dags/{dag}/dagRuns", {"dag_run_id": run, "logical_date": None})

    def path(self, instance_id: str) -> str:
        """Where the API has one of X-Ops' instances that is not mapped."""
        dag, run, task = (urllib.parse.quote(part, safe="") for part in instance_id.split("/"))
        return f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}"

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Airflow's own answer, to check what X-Ops says against it."""
        return self._call(method, f"/api/v2{path}", body)

    def log(self) -> str:
        """The ends of the processes' own logs, for the message of a failed start."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}" for path in self.home.glob("*.out"))

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310  # loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def _answers(self, path: str) -> bool:
        try:
            self._call("GET", path)
        except OSError:
            return False
        return True

    def _dags(self) -> set[str]:
        return {dag["dag_id"] for dag in self.api("GET", "/dags")["dags"]}

    def _runs(self, *, ended: bool) -> set[str]:
        """The runs, `dag/run`, that have ended or have not."""
        runs = self.api("GET", "/dags/~/dagRuns?limit=100")["dag_runs"]
        return {f"{run['dag_id']}/{run['dag_run_id']}" for run in runs if (run["state"] in ENDED) is ended}

    def _scheduler_beats(self) -> bool:
        return self.api("GET", "/monitor/health")["scheduler"]["status"] == "healthy"

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            dead = [process.args for process in self._processes if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain for {what}; ended: {dead}\n{self.log()}")
            time.sleep(0.3)

    def _spawn(self, command: str, **more: str) -> None:
        with (self.home / f"{command}.out").open("wb") as output:
            process = subprocess.Popen(
                [EXECUTABLE, command],
                env=self._environment() | more,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)

    def _transport(self) -> dict[str, object]:
        """What docs/mirror.md tells people to write, and compressed."""
        address = f"http://127.0.0.1:{self.listener}"
        auth = {"type": "api_key", "apiKey": LINEAGE_KEY}
        return {"type": "http", "url": address, "auth": auth, "compression": "gzip"}

    def _environment(self) -> dict[str, str]:
        options = {
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db",
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_FOLDER": str(ROOT / "tests" / "airflow" / "dags"),
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": "2",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{name}" for name in USERS),
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "API__HOST": "127.0.0.1",
            "API__PORT": str(self._port),
            "API__WORKERS": "1",
            "API_AUTH__JWT_SECRET": SIGNING_KEY,
            "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
            "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "OPENLINEAGE__NAMESPACE": NAMESPACE,
            "OPENLINEAGE__SELECTIVE_ENABLE": "True",
            "OPENLINEAGE__TRANSPORT": json.dumps(self._transport()),
        }
        return {
            "AIRFLOW_HOME": str(self.home),
            "PATH": f"{EXECUTABLE.parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "PIPELINE_FIXES": str(self.fixes),
            **{f"AIRFLOW__{name}": value for name, value in options.items()},
        }


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
