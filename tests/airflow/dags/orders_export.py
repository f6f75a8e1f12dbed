"""Starts whenever `orders_report` was written: a tie between two DAGs."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, task


@task(owner="li.na")
def publish() -> None:
    """Pretend to copy the report to its readers."""
    print("published")


with DAG("orders_export", schedule=[Asset("orders_report")], start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    publish()
