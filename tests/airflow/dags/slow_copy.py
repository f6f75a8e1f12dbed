"""Long enough to be killed while it runs."""

import time
from datetime import UTC, datetime

from airflow.sdk import DAG, task


@task(owner="li.na")
def sleeper() -> None:
    """Do nothing for ten minutes."""
    print("copying", flush=True)
    time.sleep(600)


with DAG("slow_copy", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    sleeper()
