"""Alerts of many shapes, questions that are none, and input that tries to hurt."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts import Alert, read
from core.alerts.reading import MOST, sentences

CASES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent.parent / "data" / "alerts.toml").read_text("utf-8"))[
    "case"
]


def shown(alert: Alert, field: str) -> object:
    """A field as the cases write it."""
    if field == "objects":
        return [f"{thing.type} {thing.name} {thing.id}" for thing in alert.objects]
    return getattr(alert, field)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_read(case: dict[str, Any]) -> None:
    """Each case says what must be found, and that nothing else is."""
    reading = read(case["text"])
    assert reading.kind == ("alert" if case["alerts"] else "chat")
    assert len(reading.alerts) == len(case["alerts"])
    for alert, expected in zip(reading.alerts, case["alerts"], strict=True):
        assert {field: shown(alert, field) for field in expected} == expected


@pytest.mark.parametrize("row", sentences(), ids=lambda row: row.example[:30])
def test_every_sentence_matches_its_own_example(row: Any) -> None:
    """A pattern that was broken by an edit is found here."""
    assert row.pattern.search(row.example)


@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """Whatever is pasted."""
    assert read(text).kind in {"alert", "chat"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=12), inner),
        max_leaves=30,
    )
)
def test_any_json_is_read_without_an_error(value: object) -> None:
    """Whatever a tool sends."""
    import json

    assert read(json.dumps(value)).kind in {"alert", "chat"}


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 10_000,
        "[" * 100_000,
        "\x00\xff\x1b" * 50_000,
        "a:" * 100_000,
        "任务" * 100_000,
        "<" * 200_000,
        "[x](" * 50_000,
        '"k":"v",' * 50_000,
        ("x" * 500_000),
        "{'" * 100_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_bait_is_answered_within_a_bound(text: str) -> None:
    """Depth, length and repetition; the runner's own time limit is the alarm, the bound is by construction."""
    assert read(text).kind in {"alert", "chat"}


def test_ten_thousand_alerts_in_one_paste() -> None:
    """The first ones are read, and the rest is said to be left out."""
    line = "任务 dim_store_{} 因任务出错触发告警，从属项目retail_dataphin。\n"
    reading = read("".join(line.format(n) for n in range(10_000)))
    assert len(reading.alerts) == MOST
    assert reading.left_out
