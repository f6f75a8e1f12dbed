"""The terminal: cards as panels, numbers as buttons."""

from io import StringIO

import pytest
from hypothesis import given
from rich.console import Console

from bots.terminal import TerminalChannel
from core.cards import Button, Buttons, Card, Item, Log, Text
from core.errors import NotFound
from core.messages import Conversation
from tests.strategies import of

HERE = Conversation("terminal", "t")
CARD = Card(
    "昨夜 1 个失败",
    (
        Item(
            "load_orders",
            "失败",
            buttons=(Button("诊断", "diagnose", {"target": "demo:1"}), Button("页面", url="https://x")),
        ),
        Log(((41, "KeyError: [red]id[/red]"), (57, "exit 1")), frozenset({41})),
        Buttons((Button("帮助", "help"),)),
    ),
)


def terminal() -> tuple[TerminalChannel, StringIO]:
    """A terminal, and what it has printed."""
    printed = StringIO()
    return TerminalChannel(Console(file=printed, width=100, color_system=None)), printed


async def test_a_card_is_printed_once_for_a_key() -> None:
    """An answer that is sent again after a crash does not repeat itself."""
    channel, printed = terminal()
    first = await channel.send(HERE, CARD, key="k")
    assert await channel.send(HERE, CARD, key="k") == first
    assert printed.getvalue().count("昨夜 1 个失败") == 1


async def test_markup_in_a_log_is_shown_and_not_obeyed() -> None:
    """Log lines are data; Rich's own markup included."""
    channel, printed = terminal()
    await channel.send(HERE, CARD, key="k")
    assert "KeyError: [red]id[/red]" in printed.getvalue()
    assert "▶   41" in printed.getvalue()


async def test_numbers_name_the_buttons_that_do_something() -> None:
    """Links are shown with their address and have no number."""
    channel, printed = terminal()
    assert channel.button(1) is None
    await channel.send(HERE, CARD, key="k")
    assert [channel.button(n) and channel.button(n).command for n in (0, 1, 2, 3)] == [None, "diagnose", "help", None]  # pyright: ignore[reportOptionalMemberAccess]
    assert "[2] 帮助" in printed.getvalue()


async def test_an_edit_is_printed_only_when_something_changed() -> None:
    """A terminal cannot go back, so it does not repeat."""
    channel, printed = terminal()
    reference = await channel.send(HERE, CARD, key="k")
    await channel.update(reference, CARD, key="k2")
    await channel.update(reference, Card("成功", (Text("好了"),)), key="k3")
    assert printed.getvalue().count("昨夜 1 个失败") == 1
    assert "好了" in printed.getvalue()
    with pytest.raises(NotFound):
        await channel.update("absent", CARD, key="k4")


@given(of(Card))
async def test_any_card_can_be_printed(card: Card) -> None:
    """No text from outside breaks the terminal's rendering."""
    channel, printed = terminal()
    await channel.send(HERE, card, key="k")
    assert printed.getvalue()
