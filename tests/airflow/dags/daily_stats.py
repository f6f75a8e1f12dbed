"""Succeeds every day, and can be run again for days long past."""

from datetime import UTC, datetime

from airflow.sdk import DAG, task


@task(owner="zhao.min")
def count() -> None:
    """Count something."""
    print("counted")


with DAG("daily_stats", schedule="@daily", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False):
    count()
