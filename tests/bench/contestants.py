"""Who is measured, each doing the same: one signed message in, one call of the platform's API out, no model.

The peers run as their documentation starts them, in an environment of their own (`.bench/venv`).
"""

import hashlib
import json
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, SecretStr

from tests.bench.events import DINGTALK, FEISHU, PERSON, SLACK_SECRET, WECOM, Event, dingtalk, feishu, slack, wecom

HERE = Path(__file__).parent
PEERS = HERE.parents[1] / ".bench/venv"
PERSON_NAME = "bench-person"
MOST_IN_FLIGHT = 32
ECHO = "ping place{place}x"
"""Bots that answer a person and not a chat are told apart by the text they echo."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One bot.

    Attributes:
        path: of its webhook.
        proof: what a right answer holds.
        ready: a page of it that answers as soon as it is ready.
        environment: settings, beside the addresses.
    """

    name: str
    command: tuple[str, ...]
    path: str
    event: Event
    proof: bytes
    ready: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_peer(self) -> bool:
        """Whether it needs the peers' environment."""
        return self.command[0].startswith(str(PEERS))

    def settings(self, port: int, platform: int) -> dict[str, str]:
        """Its environment, for a port of its own and the platform's."""
        places = {"BENCH_PORT": str(port), "BENCH_PLATFORM": f"http://127.0.0.1:{platform}"}
        addresses = ("FEISHU__DOMAIN", "DINGTALK__API", "DINGTALK__OAPI", "WECOM__API")
        ours = {f"XOPS_{name}": places["BENCH_PLATFORM"] for name in addresses}
        return {**places, **ours, "XOPS_SERVER__PORT": str(port), **self.environment}


def _peer(script: str) -> tuple[str, ...]:
    return (str(PEERS / "bin/python"), str(HERE / "peers" / script))


def _variables(section: str, settings: BaseModel, **more: str) -> dict[str, str]:
    """A section of the settings as environment variables."""
    given = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in settings.model_dump(exclude_unset=True).items()
    }
    return {f"XOPS_{section}__{name.upper()}": value for name, value in {**given, **more}.items()}


def _people(*identities: Mapping[str, str]) -> str:
    people = [
        {"name": f"{PERSON_NAME}-{number}", "role": "viewer", "identities": identity}
        for number, identity in enumerate(identities)
    ]
    return json.dumps(people)


_COMMON = {"XOPS_WEB__PERSON": f"{PERSON_NAME}-0", "XOPS_STORAGE__URL": "sqlite:///bench.sqlite"}
_FAST = {f"calls_per_{unit}": "1000000" for unit in ("second", "minute", "chat")}
_ON_FEISHU = {
    **_COMMON,
    **_variables("FEISHU", FEISHU, mode="webhook", **_FAST),
    "XOPS_PEOPLE": _people({"feishu": PERSON}),
}
_ON_DINGTALK = {
    **_COMMON,
    **_variables("DINGTALK", DINGTALK, mode="http", calls_per_second="1000000"),
    "XOPS_SERVER__PUBLIC_URL": "https://xops.example.com",
    "XOPS_PEOPLE": _people({"dingtalk": PERSON}),
}
_ON_WECOM = {
    **_COMMON,
    **_variables("WECOM", WECOM, per_member_minute="1000000", per_member_hour="1000000"),
    "XOPS_PEOPLE": _people(*({"wecom": f"place{place}x"} for place in range(2 * MOST_IN_FLIGHT))),
}
_SECRETS = {
    "APP_ID": FEISHU.app_id,
    "APP_SECRET": FEISHU.app_secret.get_secret_value(),
    "ENCRYPT_KEY": FEISHU.encrypt_key.get_secret_value(),
    "VERIFICATION_TOKEN": FEISHU.verification_token.get_secret_value(),
}
_FEISHU = {f"BENCH_{name}": value for name, value in _SECRETS.items()}
_SLACK = {"BENCH_SIGNING_SECRET": SLACK_SECRET}


def _xops(messenger: str, path: str, event: Event, environment: Mapping[str, str]) -> Contestant:
    command = (str(Path(sys.executable).with_name("xops")), "run")
    name = f"X-Ops on {messenger}, `/whoami`: verified, journalled, answered with a card"
    return Contestant(name, command, path, event, PERSON_NAME.encode(), "/readyz", environment)


CONTESTANTS = (
    _xops("Feishu", "/feishu/events", feishu("/whoami"), _ON_FEISHU),
    _xops("DingTalk", "/dingtalk/messages", dingtalk("/whoami"), _ON_DINGTALK),
    _xops("WeCom", "/wecom/app", wecom("/whoami"), _ON_WECOM),
    Contestant(
        "floor: bare aiohttp, verified, answered from a task",
        (sys.executable, "-m", "tests.bench.floor_bot"),
        "/",
        feishu(ECHO),
        b"ping",
        environment={**_FEISHU, "PYTHONPATH": str(HERE.parents[1])},
    ),
    Contestant(
        "slack-bolt 1.30, as it ships",
        _peer("slack_bot.py"),
        "/slack/events",
        slack(ECHO),
        b"ping",
        environment=_SLACK,
    ),
    Contestant(
        "slack-bolt 1.30, one shared session",
        _peer("slack_bot.py"),
        "/slack/events",
        slack(ECHO),
        b"ping",
        environment={**_SLACK, "BENCH_SHARED": "1"},
    ),
    Contestant(
        "NoneBot2 2.5 + adapter-feishu 2.7, aiohttp driver",
        _peer("nonebot_bot.py"),
        f"/feishu/{FEISHU.app_id}",
        feishu(ECHO),
        b"ping",
        environment=_FEISHU,
    ),
)


def install_peers() -> None:
    """Make the peers' environment, unless it is there and up to date."""
    wanted = HERE / "peers/requirements.txt"
    stamp = PEERS / ".installed"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print("Installing the peers (first time only) ...", file=sys.stderr)
    venv.create(PEERS, clear=True, symlinks=True, with_pip=True)
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(wanted))
    subprocess.run((str(PEERS / "bin/python"), *install), check=True)
    stamp.write_text(digest)
