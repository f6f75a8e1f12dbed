"""Cards: kept and read back without loss, and always readable as text."""

from hypothesis import given

from core.cards import CARD, Button, Buttons, Card, Item, Log, Note, Table, Text, buttons
from tests.strategies import of


@given(of(Card))
def test_a_card_survives_being_kept(card: Card) -> None:
    """What a page shows after a reload is what was sent."""
    assert CARD.validate_json(CARD.dump_json(card)) == card


@given(of(Card))
def test_every_card_can_be_read_as_text(card: Card) -> None:
    """Old clients and histories get words, and every button's label is among them."""
    text = card.as_text()
    assert card.title in text
    assert all(button.label in text for button in buttons(card))


def test_text_form() -> None:
    """How it reads."""
    card = Card(
        "昨夜 2 个失败",
        (
            Text("先看第一个"),
            Table(("任务", "责任人"), (("load_orders", "陈晓雯"),), total=2),
            Log(((41, "KeyError: 'id'"),), frozenset({41}), "run 1"),
            Item("load_orders", "失败", buttons=(Button("诊断", "diagnose"),)),
            Buttons((Button("重跑", "propose"),)),
            Note("截至 09:10"),
        ),
    )
    expected = """昨夜 2 个失败
先看第一个
任务 | 责任人
load_orders | 陈晓雯
… 1/2
run 1
>    41  KeyError: 'id'
· load_orders  失败
    [诊断]
[重跑]
截至 09:10"""
    assert card.as_text() == expected
