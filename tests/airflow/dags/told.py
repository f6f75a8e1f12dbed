"""Tells by OpenLineage what becomes of it: X-Ops hears, and never asks.

`check` of part 1 is broken until a file `told` lies in the folder `PIPELINE_FIXES`.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.openlineage.utils.selective_enable import enable_lineage
from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowSkipException
from openlineage.client.event_v2 import Dataset

REPORT = Asset("told_report")


@task(owner="wang.lei", outlets=[Dataset("postgres://dw:5432", "dw.told_orders")])
def build() -> None:
    """Pretend to write the table."""


@task(owner="li.na")
def check(part: int) -> None:
    """Check one part of the table."""
    if part == 1 and not (Path(os.environ["PIPELINE_FIXES"]) / "told").exists():
        raise RuntimeError(f"checksum of part {part} differs")


@task
def publish() -> None:
    """Needs all parts."""


@task(retries=1, retry_delay=timedelta(0))
def shaky(*, ti: Any) -> None:
    """Succeed the second time."""
    if ti.try_number == 1:
        raise ConnectionError("lost the connection")


@task(outlets=[Dataset("postgres://dw:5432", "dw.told_holidays")])
def holidays() -> None:
    """Find that there is nothing to write."""
    raise AirflowSkipException("no holiday")


@task(outlets=[REPORT])
def report(*, outlet_events: dict[Asset, Any]) -> None:
    """Write a table that has a name and no address."""
    outlet_events[REPORT].extra = {"row_count": 42}


with DAG("told", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
    build() >> check.expand(part=[0, 1]) >> publish()
    shaky()
    holidays()
    report()

enable_lineage(dag)
