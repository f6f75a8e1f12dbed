"""Cards too large for a chat: what goes first, that it is counted, and where the whole is."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bots.shorten import BUDGETS, DEEP, Budget, first_fitting, left_out, shorten, whole
from core.cards import Button, Buttons, Card, Item, Log, Table, Text
from core.i18n import LANGUAGES, words
from tests import strategies

PAGE = "https://xops.example.com/mobile/ops/chat"


def flat(card: Card) -> list[str]:
    """The words of a card; the head of a table may gain empty columns."""
    return card.as_text().replace("|", " ").split()


def test_budgets_only_get_smaller() -> None:
    """Which is why trying a few of them finds the first that fits."""
    for wider, narrower in pairwise(BUDGETS):
        assert all(getattr(wider, name) >= getattr(narrower, name) for name in wider.__slots__)
        assert wider != narrower


@given(strategies.of(Card), st.sampled_from(BUDGETS))
def test_what_is_left_out_is_said(card: Card, budget: Budget) -> None:
    """In every language; a card that is whole says nothing."""
    short, left = shorten(card, budget)

    assert bool(left) or flat(short) == flat(card)
    assert all(str(count) in left_out(left, words(language)) for language in LANGUAGES for count in left.values())


def test_logs_go_first_then_tables_then_items() -> None:
    log = Log(tuple((number, "line") for number in range(500)))
    table = Table(("a",), tuple((f"{number}",) for number in range(500)))
    card = Card("T", (log, table, *(Item(f"task {number}") for number in range(100)), Text("x" * 9000)))

    left = [shorten(card, budget)[1] for budget in BUDGETS]

    for kind in ("lines", "rows", "items"):
        assert [counted[kind] for counted in left] == sorted(counted[kind] for counted in left)

    def first(kind: str) -> int:
        return next(number for number, counted in enumerate(left) if counted[kind] > left[0][kind])

    assert first("lines") < first("rows") < first("items")


def test_the_whole_is_where_the_card_is_about() -> None:
    """An instance whose name is too long for a link is found on the page by hand."""

    def about(target: str) -> Card:
        return Card("T", (Buttons((Button("Help", "help"), Button("Log", "log", {"target": target}))),))

    assert whole(PAGE, about("demo:t 1")) == f"{PAGE}?at=demo%3At%201"
    assert whole(PAGE, about("x" * (DEEP + 1))) == PAGE
    assert whole(PAGE, Card("T")) == PAGE


@given(strategies.of(Card), st.integers(0, 3000))
def test_the_first_that_fits_is_found(card: Card, room: int) -> None:
    """The same as by trying one after the other."""

    def attempt(short: Card, _left: Counter[str]) -> Card | None:
        return short if len(short.as_text()) <= room else None

    tried = (attempt(*shorten(card, budget)) for budget in BUDGETS)
    assert first_fitting(card, attempt) == next((made for made in tried if made is not None), None)
