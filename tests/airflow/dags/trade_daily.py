"""The night's main pipeline: `transform` fails with a deep Python traceback, `load` never starts.

`transform` succeeds once a file named after the run (or `all`) lies in the folder `PIPELINE_FIXES`: what a person does
who repairs the data and then reruns.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, task

ORDERS_RAW = Asset("orders_raw")
ORDERS_REPORT = Asset("orders_report")
Order = dict[str, float]
YESTERDAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def total(order: Order) -> float:
    """Price of one order."""
    return order["quantity"] * order["unit_price"]


def summarise(orders: list[Order]) -> float:
    """Revenue of many orders; a missing column surfaces here, far from where it was dropped."""
    try:
        return sum(total(order) for order in orders)
    except KeyError as error:
        raise ValueError(f"order without column {error}") from error


@task(owner="chen.xiaowen", outlets=[ORDERS_RAW])
def extract(*, outlet_events: dict[Asset, Any]) -> None:
    """Pretend to read the source."""
    print("read 42 rows from ods_orders")
    outlet_events[ORDERS_RAW].extra = {"row_count": 42}


@task(owner="wang.lei")
def transform(*, run_id: str) -> None:
    """Fail until somebody repaired the data."""
    fixes = Path(os.environ["PIPELINE_FIXES"])
    repaired = (fixes / run_id).exists() or (fixes / "all").exists()
    print("transforming orders")
    print(summarise([{"quantity": 2, "unit_price": 9.5} if repaired else {"quantity": 2}]))


@task(owner="wang.lei", outlets=[ORDERS_REPORT])
def load(*, outlet_events: dict[Asset, Any]) -> None:
    """Write the report."""
    outlet_events[ORDERS_REPORT].extra = {"row_count": 7}


with DAG("trade_daily", schedule="@daily", start_date=YESTERDAY, catchup=True, max_active_runs=1, tags=["trade"]):
    extract() >> transform() >> load()
