"""Names are found as people type them, in bounded time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.schedulers.search import rank

NAMES = ("dws_trade_order_di", "dwd_trade_order_di", "dwd_trade_order_detail_hi", "ads_gmv_daily", "ods.user-profile")


def find(text: str, *, limit: int = 10) -> tuple[str, ...]:
    return rank(text, NAMES, lambda name: (name,), limit=limit)


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("ads_gmv_daily", "ads_gmv_daily"),
        ("  ADS_GMV_Daily ", "ads_gmv_daily"),
        ("ads_gmv", "ads_gmv_daily"),
        ("gmv", "ads_gmv_daily"),
        ("dws trade order", "dws_trade_order_di"),
        ("order dws", "dws_trade_order_di"),
        ("dws_trad_oder_di", "dws_trade_order_di"),
        ("ods_user_profile", "ods.user-profile"),
    ],
)
def test_what_a_person_types_finds_what_they_mean(text: str, best: str) -> None:
    assert find(text)[0] == best


def test_an_exact_name_comes_alone_though_others_contain_it() -> None:
    assert rank("a", ["ab", "A", "a"], lambda name: (name,)) == ("A", "a")
    assert find("dws_trade_order_di") == ("dws_trade_order_di",)


def test_a_beginning_beats_a_middle_and_short_beats_long() -> None:
    names = ("x_trade_a", "trade_longer", "trade_b")
    assert rank("trade", names, lambda name: (name,)) == ("trade_b", "trade_longer", "x_trade_a")


def test_a_candidate_with_two_matching_names_is_given_once() -> None:
    pair = ("trade_order", "trade_orders")
    assert rank("trade", [pair], lambda names: names) == (pair,)


@pytest.mark.parametrize("text", ["", "   ", "___", "zzzz", "完全不相干", "' OR 1=1 --", "%", "../..", "{0.__class__}"])
def test_nothing_like_it_gives_nothing(text: str) -> None:
    assert find(text) == ()


@given(st.text(max_size=300), st.lists(st.text(max_size=30), max_size=20), st.integers(1, 5))
def test_any_text_is_answered_within_the_limit(text: str, names: list[str], limit: int) -> None:
    found = rank(text, names, lambda name: (name,), limit=limit)
    assert len(found) <= limit
    assert set(found) <= set(names)


@given(st.lists(st.text(min_size=1, max_size=30).filter(lambda name: name == name.strip()), min_size=1, max_size=20))
def test_every_name_finds_itself(names: list[str]) -> None:
    assert names[0] in rank(names[0], names, lambda name: (name,), limit=len(names))


@pytest.mark.parametrize("text", ["dws_trade_ordr_777", "x" * 199, "查" * 100_000])
def test_ten_thousand_names_take_a_fraction_of_a_second(text: str) -> None:
    names = [f"{layer}_trade_order_{number}_di" for layer in ("ods", "dwd", "dws", "ads") for number in range(2500)]
    started = time.perf_counter()
    rank(text, names, lambda name: (name,))
    assert time.perf_counter() - started < 1.0
