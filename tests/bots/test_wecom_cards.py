"""Cards on WeCom: every block, any content, always within the limits, and nothing left out without saying so."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.wecom.cards import Rendered, Surface, app_surface, bot_surface, render, split
from bots.wecom.presses import meaning
from core.cards import Block, Button, Buttons, Card, Chart, Field, Fields, Form, Input, Item, Log, Note, Table, Text
from core.i18n import words
from tests import strategies
from tests.fakes.wecom_cards import check, labels, read_markdown, read_text, shown

Json = dict[str, Any]

PAGE = "https://xops.example/mobile/ops/chat"
APP, BOT = app_surface(PAGE), bot_surface(PAGE)
SURFACES = {"app": APP, "bot": BOT}
HOSTILE = [
    *(text for text in strategies.HOSTILE if len(text) < 200 and text.isprintable() and text.strip()),
    '<a href="https://evil.example">click</a>',
    "<@ann> <@all> @all",
    "```\nfence\n```",
    "1. one\n- two\n# three\n---\n    code\n> quote\n===",
    "a_b_c ~~x~~ _x_ &lt; &#42; \\* ![i](u)",
]


def made(*blocks: Block, title: str = "Title", surface: Surface = APP, edition: int = 1) -> Rendered:
    """The messages of a card, each as WeCom accepts it."""
    rendered = render(Card(title, blocks), surface, words("zh-CN"), task="ref-1", edition=edition)
    accepted(rendered, surface)
    return rendered


def accepted(rendered: Rendered, surface: Surface) -> None:
    """Every limit, in the unit in which WeCom counts it."""
    assert len(rendered.texts) <= surface.parts
    assert all(0 < len(text.encode()) <= surface.part_bytes for text in rendered.texts)
    assert len(rendered.texts) + len(rendered.cards) > 0
    for card in rendered.cards:
        check(card)
        json.dumps(card)


def seen(rendered: Rendered, surface: Surface = APP) -> str:
    read = read_text if surface is APP else read_markdown
    return "\n".join([*map(read, rendered.texts), *map(shown, rendered.cards)])


def pressed(rendered: Rendered, key: str, *chosen: tuple[str, str]) -> tuple[str, dict[str, str]]:
    """What a click means: the command and its arguments with what was entered."""
    meant = meaning(rendered.presses, key, chosen)
    assert meant is not None
    button, entered = meant
    return button.command, {**button.arguments, **entered}


@given(strategies.of(Card), st.sampled_from(["", PAGE]))
def test_any_card_is_taken_by_wecom(card: Card, page: str) -> None:
    """Bytes of texts, characters of fields, counts of lists: for the app and for the bot, with a page and without."""
    for surface in (app_surface(page), bot_surface(page)):
        accepted(render(card, surface, words("en"), task="ref-1", edition=7), surface)


@settings(deadline=5000)
@given(strategies.of(Card), st.integers(5, 40))
def test_any_card_many_times_over_is_taken_by_wecom(card: Card, times: int) -> None:
    for surface in SURFACES.values():
        many = replace(card, blocks=card.blocks * times)
        accepted(render(many, surface, words("zh-CN"), task="ref-1", edition=1), surface)


@given(strategies.of(Card))
def test_every_press_of_any_card_means_a_button_of_it(card: Card) -> None:
    """No key leads nowhere, and none leads to something the card did not offer."""
    rendered = render(card, APP, words("zh-CN"), task="ref-1", edition=3)
    for shown_card in rendered.cards:
        keys = [button["key"] for button in shown_card.get("button_list", ())]
        keys += [shown_card["submit_button"]["key"]] if "submit_button" in shown_card else []
        assert all(meaning(rendered.presses, key, ()) is not None for key in keys)
    assert all(press.startswith("3.") for press in rendered.presses)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(4, 50))
def test_text_is_split_within_bytes_and_never_within_a_character(text: str, most: int) -> None:
    parts = split(text, most)

    assert all(0 < len(part.encode()) <= most for part in parts)
    assert set("".join(parts)) <= {*text, "…"}


def test_long_text_goes_out_in_several_messages_whole() -> None:
    text = "\n".join(f"{number} 个任务" for number in range(300))

    rendered = made(Text(text))

    assert 1 < len(rendered.texts) <= 3
    assert seen(rendered) == f"Title\n{text}"


def test_a_small_card_is_one_template_card() -> None:
    rendered = made(Text("hello"), Fields((Field("状态", "失败"),)), Buttons((Button("日志", "log"),)))

    assert rendered.alone
    assert (shown(rendered.cards[0]), labels(rendered.cards[0])) == ("Title\nhello\n状态: 失败", ["日志"])


def test_a_notice_without_buttons_can_be_edited_because_it_has_a_menu() -> None:
    rendered = made(Text("hello"))

    assert rendered.cards[0]["card_type"] == "text_notice"
    assert pressed(rendered, rendered.cards[0]["action_menu"]["action_list"][0]["key"]) == ("overview", {})


def test_without_a_page_to_open_a_notice_is_text() -> None:
    rendered = made(Text("hello"), surface=app_surface(""))

    assert (rendered.texts, rendered.cards) == (("Title\nhello",), ())


@pytest.mark.parametrize(
    "block",
    [
        Text("x" * 113),
        Fields((Field("六个字的标签", "v"),)),
        Fields((Field("l", "v" * 27),)),
        Fields((Field("l", "v"),) * 7),
        Log(((1, "x"),)),
        Item("x"),
        Buttons((Button("Open", url="https://x.example"),)),
        Buttons((Button("Rerun with downstream", "rerun"),)),
    ],
)
def test_what_does_not_fit_a_template_card_is_text(block: Block) -> None:
    assert not made(block).alone


def test_items_that_offer_the_same_share_a_card() -> None:
    """Choose which, then press what: ten entries with three buttons each need one card."""
    actions = ("diagnose", "log", "rerun")
    items = tuple(
        Item(f"task_{n}", buttons=tuple(Button(word, word, {"target": f"t{n}"}) for word in actions)) for n in range(10)
    )

    rendered = made(*items, Buttons((Button("更多", "instances"), Button("概览", "overview"))))

    (card,) = rendered.cards
    assert labels(card) == ["diagnose", "log", "rerun", "更多", "概览"]
    assert [option["text"] for option in card["button_selection"]["option_list"]][:2] == ["A task_0", "B task_1"]
    assert "[B] task_1" in seen(rendered)
    keys = [button["key"] for button in card["button_list"]]
    assert pressed(rendered, keys[1], ("which", "4")) == ("log", {"target": "t4"})
    assert pressed(rendered, keys[1]) == ("log", {"target": "t0"})
    assert pressed(rendered, keys[4], ("which", "4")) == ("overview", {})


def test_numbers_of_a_list_do_not_take_the_place_of_names() -> None:
    items = tuple(Item(f"{n}. dws_x_{n}", buttons=(Button("log", "log"),)) for n in (11, 12))

    (card,) = made(*items).cards

    assert [option["text"] for option in card["button_selection"]["option_list"]] == ["A dws_x_11", "B dws_x_12"]


def test_items_that_offer_different_things_do_not_mix() -> None:
    """No choice of an entry and a button leads to something the entry does not offer."""
    both = tuple(Item(f"a{n}", buttons=(Button("log", "log"), Button("rerun", "rerun"))) for n in range(2))
    one = tuple(Item(f"b{n}", buttons=(Button("log", "log"),)) for n in range(2))

    rendered = made(*both, *one)

    assert [labels(card) for card in rendered.cards] == [["log", "rerun"], ["log"]]
    assert [len(card["button_selection"]["option_list"]) for card in rendered.cards] == [2, 2]


def test_what_finds_no_button_can_be_typed() -> None:
    rendered = made(Buttons(tuple(Button(f"b{n}", "log", {"target": f"demo:{n}"}) for n in range(20))))

    assert sum(len(labels(card)) for card in rendered.cards) == 18
    assert "b19: /log demo:19" in seen(rendered)


def test_a_form_of_lists_is_a_card_and_sends_what_was_chosen() -> None:
    form = Form(
        (Input("scope", "范围", "select", (("a", "全部"), ("b", "一个")), value="b"),), Button("提交", "decide")
    )

    rendered = made(form)

    (card,) = rendered.cards
    assert card["card_type"] == "multiple_interaction"
    assert card["select_list"][0]["selected_id"] == "1"
    assert pressed(rendered, card["submit_button"]["key"], ("0", "0")) == ("decide", {"scope": "a"})


def test_a_form_with_free_text_is_to_be_typed() -> None:
    rendered = made(Form((Input("reason", "原因"),), Button("提交", "decide", {"id": "P-1"})))

    assert rendered.cards == ()
    assert "提交: /decide P-1" in seen(rendered)


def test_a_shortened_label_is_explained() -> None:
    assert "Rerun wit… = Rerun with downstream" in seen(made(Buttons((Button("Rerun with downstream", "rerun"),))))


def test_an_old_edition_has_other_presses() -> None:
    buttons = Buttons((Button("a", "log"),))

    assert not set(made(buttons, edition=1).presses) & set(made(buttons, edition=2).presses)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(surface: str, text: str) -> None:
    """No link, no mention, no markup, no fence: whoever wrote it, a reader sees the characters."""
    place = SURFACES[surface]
    blocks = (Text(text), Item(text, text, fields=(Field(text, text),)), Log(((1, text),), title=text), Note(text))

    read = seen(made(*blocks, Table((text,), ((text,),), title=text), title=text, surface=place), place)

    lines = [" ".join(line.split()) for line in text.splitlines()]
    flat = " ".join(read.split())
    assert all(flat.count(line) >= 8 for line in lines)


def test_task_names_stay_readable_in_markdown() -> None:
    (text,) = made(Text("dws_trade_order_di 失败 3 次 (2026-11-22)"), Log(((1, "x"),)), surface=BOT).texts

    assert "dws_trade_order_di 失败 3 次 (2026-11-22)" in text


def test_links_cannot_break_out_of_their_markup() -> None:
    button = Button('"></a>](x)', url='https://x.example/"><b>) (')

    for surface in SURFACES.values():
        (text,) = made(Buttons((button,)), surface=surface).texts
        assert "<b>" not in text
        assert "https://x.example/%22%3E%3Cb%3E%29%20%28" in text


def test_tables_stay_tables_in_markdown() -> None:
    (text,) = made(Table(("task", "owner"), (("a|b", "Ann"), ("c",)), total=9), surface=BOT).texts

    assert text.endswith("| task | owner |\n|---|---|\n| a\\|b | Ann |\n| c |  |\n… 2/9")


def test_a_chart_can_be_read() -> None:
    read = seen(made(Chart("bar", (("a", 1, "info"), ("b", 2.0, "danger")), "Runs", "s")))

    assert read.splitlines()[1:] == ["Runs", "🔵 a: 1s █████", "🔴 b: 2s ██████████"]


def test_logs_keep_what_is_around_their_marked_lines() -> None:
    log = Log(tuple((number, f"line {number} " + "x" * 50) for number in range(1, 5001)), frozenset({10, 4000}))

    read = seen(made(log))

    assert ">   10 line 10 " in read
    assert "line 4001 " in read
    assert "line 5000 " not in read
    assert "行日志" in read


def test_what_cannot_be_shortened_says_so() -> None:
    typed = Form((Input("reason", "Reason"),), Button("Send", "decide", {"a": "y" * 9000}))

    say = words("zh-CN")
    assert seen(made(typed)) == f"{say('shorten.too_large')}\n{say('shorten.open_page')}"


@pytest.mark.parametrize("place", [app_surface, bot_surface])
def test_what_is_left_out_is_on_the_page(place: Callable[[str], Surface]) -> None:
    """The link leads to the instance, where the card is about one; without an address there is no link."""
    log = Log(tuple((number, "INFO still copying" * 9) for number in range(1, 5000)))
    card = Card("Log", (log, Buttons((Button("Status", "status", {"target": "demo:20260301/t 1"}),))))

    def text(card: Card, page: str) -> str:
        return "".join(render(card, place(page), words("en"), task="ref-1", edition=1).texts)

    assert f"{PAGE}?at=demo%3A20260301%2Ft%201" in text(card, PAGE)
    assert PAGE not in text(Card("Log", (Log(((1, "x"),)),)), PAGE)
    assert "https://" not in text(card, "")
