"""One task for each part of a table; part 1 is broken."""

from datetime import UTC, datetime

from airflow.sdk import DAG, task


@task(owner="li.na")
def copy(part: int) -> None:
    """Copy one part."""
    if part == 1:
        raise RuntimeError(f"checksum of part {part} differs")


@task(owner="li.na")
def merge() -> None:
    """Needs all parts."""


with DAG("parts", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    copy.expand(part=[0, 1, 2]) >> merge()
