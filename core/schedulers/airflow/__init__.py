"""Apache Airflow 3.3 and newer, through its public REST API v2."""

from core.schedulers.airflow.scheduler import AirflowScheduler

__all__ = ["AirflowScheduler"]
