"""All six kinds of schedulers, configured at once against servers on loopback.

async with six() as all_six:
environment = {"XOPS_SCHEDULERS": all_six.settings()}
"""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from core.settings import SchedulerConnection
from tests.fakes.airflow import FakeAirflow
from tests.fakes.dataphin import FakeDataphin
from tests.fakes.dataworks import FakeDataWorks
from tests.fakes.dolphin import FakeDolphin


@dataclass(frozen=True)
class Six:
    """The servers; the embedded scheduler and the mirror need none."""

    airflow: FakeAirflow
    dataworks: FakeDataWorks
    dataphin: FakeDataphin
    dolphin: FakeDolphin

    def settings(self, **more: Any) -> str:
        """`XOPS_SCHEDULERS`; what is given holds for the connections that reach a server."""
        servers = (self.airflow, self.dataworks, self.dataphin, self.dolphin)
        connections = [
            SchedulerConnection(name="demo", kind="simulated"),
            SchedulerConnection(name="heard", kind="mirror"),
            *(server.connection(**more) for server in servers),
        ]
        return json.dumps([_written(one) for one in connections])


@asynccontextmanager
async def six() -> AsyncGenerator[Six]:
    """All of them, up."""
    async with (
        FakeAirflow() as airflow,
        FakeDataWorks() as dataworks,
        FakeDataphin() as dataphin,
        FakeDolphin() as dolphin,
    ):
        yield Six(airflow, dataworks, dataphin, dolphin)


def _written(connection: SchedulerConnection) -> dict[str, Any]:
    """As a settings file has it, secrets in clear."""
    given = connection.model_dump(exclude_defaults=True)
    return {name: one.get_secret_value() if isinstance(one, SecretStr) else one for name, one in given.items()}
