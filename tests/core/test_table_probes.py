"""A table is measured at its database: what is asked, what is made of the answer, and what is said when there is none."""

import sqlite3
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Connection, create_engine, make_url

from core.schedulers.base import DataTable, TableUpdate, Task
from core.schedulers.probes import Probe, moment, statement
from core.settings import SchedulerConnection, TableProbe
from tests.core.dolphins import dolphin
from tests.fakes.dolphin_night import NOW, TODAY, ZONE

CAME = datetime(2026, 11, 23, 1, 2, 3, tzinfo=ZONE)
Make = Callable[..., Probe]
TASK = Task("ds", "1", "load_orders", "trade")


def known(*updates: datetime) -> DataTable:
    """A table as a scheduler knows it: by its task's successes."""
    return DataTable("ds", "orders", producers=(TASK,), updates=tuple(TableUpdate(at, "ds:1") for at in updates))


@pytest.fixture
async def probe(database_url: str) -> AsyncGenerator[Make]:
    """Makes probes of an `orders` table with two rows; the test runs once on each kind of database."""
    made: list[Probe] = []

    def make(path: str = "orders.came", **settings: Any) -> Probe:
        given = TableProbe.model_validate({"url": database_url, "columns": {"orders": path}} | settings)
        made.append(Probe("ds", given, ZONE))
        return made[-1]

    run(database_url, "CREATE TABLE orders (came TIMESTAMP, day DATE, said VARCHAR(30), number BIGINT)")
    for at in (CAME - timedelta(days=1), CAME):
        local = at.replace(tzinfo=None)
        values = f"'{local}', '{local.date()}', '{at.isoformat()}', {int(at.timestamp() * 1000)}"
        run(database_url, f"INSERT INTO orders VALUES ({values})")  # noqa: S608  # our own words
    yield make
    for one in made:
        await one.close()


def run(url: str, *words: str) -> None:
    """Prepare a database."""
    work(url, lambda connection: [connection.exec_driver_sql(one) for one in words])


def work(url: str, what: Callable[[Connection], Any]) -> Any:
    """Look into a database."""
    address = make_url(url)
    driver = "postgresql+psycopg" if address.get_backend_name() == "postgresql" else "sqlite"
    engine = create_engine(address.set(drivername=driver))
    with engine.begin() as connection:
        found = what(connection)
    engine.dispose()
    return found


@pytest.mark.parametrize("path", ["orders.came", "orders.said", "orders.number"])
async def test_the_newest_moment_is_the_update_whatever_type_the_column_has(probe: Make, path: str) -> None:
    (table,) = await probe(path).measure("orders", (known(),), 10)
    assert [update.at for update in table.updates] == [CAME]
    assert (table.producers, table.unmeasured) == ((TASK,), "")


async def test_a_success_after_the_newest_row_brought_nothing(probe: Make) -> None:
    before, after = CAME - timedelta(hours=1), CAME + timedelta(hours=1)
    (table,) = await probe().measure("orders", (known(after, before),), 10)
    assert [(update.at, update.instance) for update in table.updates] == [(CAME, ""), (before, "ds:1")]


async def test_an_empty_table_has_no_update_whoever_succeeded(probe: Make, database_url: str) -> None:
    run(database_url, "DELETE FROM orders")
    (table,) = await probe().measure("orders", (known(CAME),), 10)
    assert (table.updates, table.unmeasured) == ((), "")


async def test_a_table_that_only_the_settings_name_is_found(probe: Make) -> None:
    (table,) = await probe().measure("order", (), 10)
    assert (table.name, table.updates[0].at) == ("orders", CAME)
    assert await probe().measure("elsewhere", (), 10) == ()


async def test_an_answer_is_remembered_for_a_while(probe: Make, database_url: str) -> None:
    one = probe()
    before = await one.measure("orders", (), 10)
    run(database_url, "DELETE FROM orders")
    assert await one.measure("orders", (), 10) == before


async def test_zones_of_columns_without_one_are_as_set(probe: Make) -> None:
    (table,) = await probe(zone="UTC").measure("orders", (), 10)
    assert table.updates[0].at == CAME.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "words"),
    [("orders.day", "holds no moments"), ("orders.cme", "cme"), ("nowhere.came", "nowhere"), ("dw.orders.came", "dw")],
)
async def test_what_cannot_be_measured_stays_as_known_and_says_why(probe: Make, path: str, words: str) -> None:
    one = probe(path)
    (table,) = await one.measure("orders", (known(CAME),), 10)
    assert [update.instance for update in table.updates] == ["ds:1"]
    assert words in table.unmeasured
    assert await one.problems() == (table.unmeasured,)


async def test_a_table_without_a_column_in_the_settings_is_left_alone(probe: Make) -> None:
    other = DataTable("ds", "refunds")
    assert await probe().measure("refunds", (other,), 10) == (other,)


async def test_many_tables_are_named_and_not_measured(probe: Make) -> None:
    columns = {f"orders_{n}": "orders.came" for n in range(4)}
    found = await probe(columns=columns).measure("orders", (), 10)
    assert [(one.name, one.updates) for one in found] == [(name, ()) for name in columns]


async def test_nothing_can_be_changed_by_a_question(postgres_url: str) -> None:
    """What is asked may be a view, and a view may call what writes."""
    run(
        postgres_url,
        "CREATE TABLE seen (at TIMESTAMPTZ)",
        "CREATE FUNCTION look() RETURNS TIMESTAMPTZ LANGUAGE sql AS 'INSERT INTO seen VALUES (now()) RETURNING at'",
        "CREATE VIEW orders AS SELECT look() AS came",
    )
    probe = Probe("ds", TableProbe.model_validate({"url": postgres_url, "columns": {"o": "orders.came"}}), ZONE)
    (table,) = await probe.measure("o", (), 10)
    assert "read-only transaction" in table.unmeasured
    assert work(postgres_url, lambda one: one.exec_driver_sql("SELECT count(*) FROM seen").scalar()) == 0
    await probe.close()


async def test_a_slow_statement_ends_in_the_database_too(postgres_url: str) -> None:
    run(postgres_url, "CREATE VIEW orders AS SELECT now() AS came FROM pg_sleep(60)")
    settings = {"url": postgres_url, "columns": {"o": "orders.came"}, "timeout_seconds": 0.2}
    probe = Probe("ds", TableProbe.model_validate(settings), ZONE)
    (table,) = await probe.measure("o", (), 10)
    assert "did not answer in 0.2 s" in table.unmeasured or "statement timeout" in table.unmeasured
    await probe.close()
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%max(%%' AND pid <> pg_backend_pid()"
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while work(postgres_url, lambda one: one.exec_driver_sql(sleeping).scalar()):
        assert datetime.now(UTC) < deadline, "it still runs"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mssql+pymssql://warehouse/dw", "pip install pymssql"),
        ("moon://warehouse/dw", "no database known here"),
        ("postgresql://reader:pass-word-1@127.0.0.1:1/dw", "refused"),
    ],
)
async def test_a_database_that_cannot_be_asked_is_said_to_doctor_without_its_password(url: str, words: str) -> None:
    settings = TableProbe.model_validate({"url": url, "columns": {"orders": "orders.came"}})
    probe = Probe("ds", settings, ZONE)
    (problem,) = await probe.problems()
    assert words in problem
    assert "pass-word-1" not in problem + repr(settings)
    await probe.close()


@given(st.lists(st.text(st.characters(exclude_characters=".\0", codec="utf-8"), min_size=1), min_size=2, max_size=2))
def test_whatever_a_column_is_called_it_is_a_name_and_no_sql(names: list[str]) -> None:
    """An `"` or `;` in a name stays in it: SQLite finds the column that is really called so."""
    connection = sqlite3.connect(":memory:")
    table, column = (f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names)
    if names[0].casefold().startswith("sqlite_"):
        return
    connection.execute(f"CREATE TABLE {table} ({column} TEXT)")
    connection.execute(f"INSERT INTO {table} VALUES ('2026-11-23 01:02:03')")  # noqa: S608  # quoted above
    sql = str(statement(".".join(names)).compile(dialect=create_engine("sqlite://").dialect))
    assert connection.execute(sql).fetchone() == ("2026-11-23 01:02:03",)
    connection.close()


@given(st.one_of(st.text(), st.integers(-(10**15), 10**15), st.floats(), st.none(), st.booleans(), st.binary()))
def test_any_value_is_a_moment_with_a_zone_or_none(value: object) -> None:
    try:
        assert moment(value, ZONE).tzinfo
    except ValueError:
        return


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "sqlite:///a"},
        {"columns": {"orders": "orders.came"}},
        {"url": "sqlite:///a", "columns": {"orders": "came"}},
        {"url": "sqlite:///a", "columns": {"orders": "a..came"}},
        {"url": "sqlite:///a", "columns": {"orders": "orders.came"}, "zone": "Mars/Base"},
    ],
)
def test_settings_that_cannot_work_are_said_at_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="probe"):
        TableProbe.model_validate(wrong)


def test_only_schedulers_that_use_a_probe_take_one() -> None:
    probe = {"url": "sqlite:///a", "columns": {"orders": "orders.came"}}
    with pytest.raises(ValidationError, match="takes no probe"):
        SchedulerConnection.model_validate({"name": "sim", "kind": "simulated", "probe": probe})


async def test_a_declared_table_of_dolphinscheduler_is_as_fresh_as_its_rows(tmp_path: Path) -> None:
    """Its task succeeded today and brought nothing: the newest row is of yesterday."""
    url = f"sqlite:///{tmp_path}/warehouse.sqlite"
    yesterday = NOW - timedelta(days=1)
    run(url, f"CREATE TABLE dwd AS SELECT '{yesterday.isoformat()}' AS loaded")
    columns = {"dwd_trade_order_di": "dwd.loaded"}
    async with dolphin(probe={"url": url, "columns": columns}) as pair:
        (table,) = await pair.scheduler.tables("dwd_trade_order_di")
        assert table.updates[0].at == yesterday
        assert [task.name for task in table.producers] == ["dwd_trade_order_di"]
        assert all(update.at.astimezone(ZONE).date() < TODAY for update in table.updates)
        assert (await pair.scheduler.health()).problems == ()
