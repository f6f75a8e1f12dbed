"""More instances than fit on one page of Airflow's API. Empty tasks cost the scheduler nothing."""

from datetime import UTC, datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG("wide", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), max_active_tasks=200):
    for number in range(120):
        EmptyOperator(task_id=f"step_{number:03}", owner="nobody")
