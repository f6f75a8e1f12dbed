"""Structured logs as lines; tracebacks compared with those Python prints itself."""

import traceback as python
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.tracebacks import ExceptionDictTransformer

from core.schedulers.airflow.logs import CHAIN, lines, traceback
from tests.fakes.airflow import recorded

structured = ExceptionDictTransformer(show_locals=False, max_frames=50)
"""What Airflow's tasks use to turn an exception into data."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def plain() -> None:
    """An exception from a function called by another."""
    int("unit_price")


def caused() -> None:
    """One exception raised from another."""
    try:
        plain()
    except ValueError as error:
        raise LookupError("no such column\nin two lines") from error


def during() -> None:
    """One exception raised while another was handled, which was itself caused."""
    try:
        caused()
    except LookupError:
        empty: dict[str, int] = {}
        print(empty["gone"])  # noqa: T201


def noted() -> None:
    """Without a message, with notes."""
    error = RuntimeError()
    error.add_note("part 1")
    error.add_note("checksum\ndiffers")
    raise error


def grouped() -> None:
    """A group with a plain member, a caused one and one that was never raised."""
    raise ExceptionGroup("several", [*(_caught(one) for one in (plain, caused)), TypeError("never raised")])


def nested() -> None:
    """A group whose last member is a group, raised from a plain exception."""
    raise ExceptionGroup("outer", [_caught(plain), _caught(grouped)]) from _caught(plain)


def unwritten() -> None:
    """A file that is not Python."""
    compile("a = = 1\n", "dag.py", "exec")


def _caught(function: Callable[[], None]) -> Exception:
    try:
        function()
    except Exception as error:  # noqa: BLE001  # any of the above
        return error
    raise AssertionError("it raises")


def _printed(error: Exception) -> list[str]:
    """Python's own words, without the source lines and carets that structured tracebacks do not carry."""
    given_lines = "".join(python.format_exception(error)).splitlines()
    framed = [line.lstrip(" |+") for line in given_lines]
    sources = {n + 1 for n, line in enumerate(framed) if line.startswith('File "') and ", in " in line}
    carets = {n for n, line in enumerate(framed) if line and set(line) <= {"^", "~"}}
    return [line for n, line in enumerate(given_lines) if n not in sources | carets]


@pytest.mark.parametrize("function", [plain, caused, during, noted, grouped, nested, unwritten])
def test_a_traceback_is_printed_as_python_prints_it(function: Callable[[], None]) -> None:
    error = _caught(function)
    chain = CHAIN.validate_python(structured((type(error), error, error.__traceback__)))
    assert list(traceback(chain)) == _printed(error)


def test_a_very_deep_stack_says_what_it_leaves_out() -> None:
    def deeper(depth: int) -> None:
        deeper(depth - 1) if depth else plain()

    error = _caught(lambda: deeper(80))
    chain = CHAIN.validate_python(structured((type(error), error, error.__traceback__)))
    printed = list(traceback(chain))
    assert sum(line.startswith("  [Skipped frames: ") for line in printed) == 1
    assert printed[-1] == "ValueError: invalid literal for int() with base 10: 'unit_price'"


def test_a_recorded_log_is_what_the_task_wrote() -> None:
    log = lines(recorded("log")["content"])
    assert not any("::" in line or "/opt/airflow/logs" in line for line in log)
    assert sum(line.endswith("INFO transforming orders") for line in log) == 1
    at = log.index("KeyError: 'unit_price'")
    assert log[at + 2] == "The above exception was the direct cause of the following exception:"
    assert log[-1] == "ValueError: order without column 'unit_price'"
    assert log[at - 1].startswith('  File "/opt/pipelines/')


def test_own_fields_of_a_line_are_kept_and_context_is_not() -> None:
    line = {"timestamp": "T", "level": "warning", "event": "loaded", "rows": 42, "dag_id": "d", "filename": "f"}
    assert lines([line]) == ["T WARNING loaded rows=42"]


def test_lines_within_a_line_are_lines_and_empty_ones_stay() -> None:
    assert lines([{"event": "one\ntwo"}, {"event": ""}, "plain"]) == ["one", "two", "", "plain"]


def test_why_nothing_could_be_read_is_told_when_there_is_nothing_else() -> None:
    header = [{"event": "::group::Log message source details"}, {"event": "no route to worker"}]
    end = {"event": "::endgroup::"}
    assert lines([*header, end]) == ["no route to worker"]
    assert lines([*header, end, {"event": "hello"}, *header, end]) == ["hello"]


@given(st.lists(st.text() | st.dictionaries(st.sampled_from(["event", "level", "error_detail", "x"]), JSON)))
def test_whatever_a_task_logs_becomes_lines(content: list[Any]) -> None:
    assert not any("\n" in line for line in lines(content))
