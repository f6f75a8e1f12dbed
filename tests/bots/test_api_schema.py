"""The REST interface keeps its own OpenAPI document, whatever is sent to it: schemathesis against a started server."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bots.serving import serving
from core.approvals.model import Definition
from core.settings import Settings
from tests.bots.api_client import TOKEN, Client, configured
from tests.fakes.approvals import flow

PROGRAM = Path(sys.executable).with_name("schemathesis")
RULES = """
[parameters]
"path.flow" = "F-1"
"path.ticket" = "T-1"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
[[operations]]
include-path = ["/api/v1/flows/{flow}", "/api/v1/flows.yaml", "/api/v1/tickets"]
include-method = ["PUT", "POST"]
phases.coverage.enabled = false
"""
"""Some ids that exist. 422 is a right answer to what no JSON Schema can say, e.g. that a name is not one of the task types.

The largest bodies get random values only: what coverage makes of them was 1,600 of 1,800 requests.
"""


@pytest.fixture
async def address(tmp_path: Path) -> AsyncGenerator[str]:
    """A server on loopback with a flow and a ticket."""
    settings: Settings = configured(tmp_path)
    async with serving(settings) as (url, _), Client(url) as client:
        made: Definition = flow("imports", "import")
        assert (await client.call("POST", "/flows", made))[0] == 201
        assert (await client.call("POST", "/tickets", {"task_type": "import", "title": "load"}))[0] == 201
        yield url


async def test_schemathesis_finds_nothing(address: str, tmp_path: Path) -> None:
    """Valid requests are served as documented, invalid ones refused as documented, undeclared methods too, and nothing fails.

    Some 220 requests cost three seconds of computing, most of it schemathesis' own.
    """
    rules = tmp_path / "schemathesis.toml"
    rules.write_text(RULES)
    options = ["--phases", "coverage,fuzzing", "--max-examples", "1", "--generation-database", "none", "--seed", "1"]
    tool = await asyncio.create_subprocess_exec(
        PROGRAM, "--config-file", rules, "run", f"{address}/api/v1/openapi.json", *options,
        "-H", f"Authorization: Bearer {TOKEN}", cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    report, _ = await tool.communicate()
    assert tool.returncode == 0, report.decode()
    assert b"28 selected / 28 total" in report
