"""Logs, tables and charts as text: every value stays readable."""

from hypothesis import given

from bots.figures import chart_lines, log_lines, table_lines
from core.cards import Chart, Log, Table
from tests import strategies


def test_a_narrow_table_keeps_its_columns() -> None:
    assert [*table_lines(("a", "b"), (("1", "2\n3"), ("4",)))] == ["a | b", "1 | 2 3", "4"]


def test_a_wide_table_is_an_entry_a_row() -> None:
    """A phone would break its rows anywhere."""
    rows = (("load_orders", "Ann", "02:10", ""), ("dws_trade", "Bob", "03:00", "14"))

    assert [*table_lines(("task", "owner", "planned", "below"), rows)] == [
        "▪ load_orders",
        "owner: Ann · planned: 02:10",
        "▪ dws_trade",
        "owner: Bob · planned: 03:00 · below: 14",
    ]


def test_a_bar_is_as_long_as_its_part_of_the_longest() -> None:
    chart = Chart(
        "bar", (("p50", 2, "neutral"), ("p99", 8, "warning"), ("none", 0, "info"), ("less", -1, "info")), "", "s"
    )

    assert [*chart_lines(chart)] == [
        ("p50: 2s ██▌", "neutral"),
        ("p99: 8s ██████████", "warning"),
        ("none: 0s", "info"),
        ("less: -1s", "info"),
    ]


def test_a_pie_says_shares() -> None:
    chart = Chart("pie", (("ok", 3, "success"), ("failed", 1, "danger")))

    assert [line for line, _ in chart_lines(chart)] == ["ok: 3 (75%) ███████▌", "failed: 1 (25%) ██▌"]


def test_a_line_is_a_curve_above_its_values() -> None:
    chart = Chart("line", tuple((f"{day}", value, "info") for day, value in enumerate((4.0, 6.0, 12.0), 1)))

    assert [line for line, _ in chart_lines(chart)] == ["▁▃█", "1 4  2 6  3 12"]


@given(strategies.of(Chart))
def test_every_value_of_any_chart_can_be_read(chart: Chart) -> None:
    read = "\n".join(line for line, _ in chart_lines(chart))

    assert all(f"{value:g}{chart.unit}".rstrip() in read for _, value, _ in chart.points)


@given(strategies.of(Table))
def test_every_cell_of_any_table_can_be_read(table: Table) -> None:
    read = "\n".join(table_lines(table.columns, table.rows))
    width = len(table.columns)

    assert all(" ".join(cell.split()) in read for row in table.rows for cell in row[: max(width, 1)])


@given(strategies.of(Log))
def test_every_line_of_any_log_can_be_read(log: Log) -> None:
    read = [*log_lines(log)]

    assert all(any(part in line for line in read) for _, text in log.lines for part in text.splitlines())
