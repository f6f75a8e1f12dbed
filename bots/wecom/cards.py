"""A core `Card` becomes WeCom messages, always within its limits, never silently shorter.

The rules, in the order they are tried:

1. A card that fits is one template card, which can be edited in place.
2. Otherwise its text is a message (the app: at most three), and its buttons are template cards below it.
3. Items that offer the same buttons share a template card: choose which, then press what (`bots.wecom.presses`).
4. What no template card can hold (more buttons, free text) stands in the text as the line a person may type instead.
5. Text beyond the limit is shortened by `bots.shorten`; its end says what was left out, and leads to the page, where all is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain

from bots.shorten import BUDGETS, first_fitting, left_out, whole
from bots.wecom import elements
from bots.wecom.elements import BODY, BUTTONS, FIELDS, LABEL, SUBTITLE, TITLE, VALUE, Json, clip
from bots.wecom.presses import Layout, lay_out
from bots.wecom.prose import MARKDOWN, PLAIN, Style, prose
from core.cards import Button, Buttons, Card, Field, Fields, Note, Text, buttons
from core.channel import Limits
from core.i18n import Words

TEXT_BYTES = 2048
"""Largest text message of an app."""

STREAM_BYTES = 20_480
"""Largest markdown of an AI bot."""

APP_LIMITS = Limits(
    card_bytes=3 * TEXT_BYTES,
    elements=FIELDS,
    buttons=BUTTONS,
    table_rows=BUDGETS[0].rows,
    editable_for=timedelta(hours=72),
    edits_per_second=0.5,
)
BOT_LIMITS = Limits(
    card_bytes=STREAM_BYTES,
    elements=FIELDS,
    buttons=BUTTONS,
    table_rows=BUDGETS[0].rows,
    editable_for=timedelta(),
    edits_per_second=0.5,
)
"""A bot's card can be edited only in answer to a click on it, within five seconds."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Where a card is shown.

    Attributes:
        style: how text is written.
        part_bytes: largest text of one message.
        parts: most messages of text for one card.
        page: address that a notice opens; without one, a card with nothing to press is text.
        compact: whether a template card may say all of a card.
    """

    style: Style
    part_bytes: int
    parts: int
    page: str
    compact: bool = True


def app_surface(page: str) -> Surface:
    """A private chat with the app."""
    return Surface(PLAIN, TEXT_BYTES, 3, page)


def bot_surface(page: str) -> Surface:
    """A chat or group with the AI bot."""
    return Surface(MARKDOWN, STREAM_BYTES, 1, page)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What WeCom is to show for one card.

    Attributes:
        texts: messages of text, in order.
        cards: template cards, in order.
        presses: what each button means, by the name that a click brings back.
    """

    texts: tuple[str, ...]
    cards: tuple[Json, ...] = ()
    presses: Mapping[str, Button] = field(default_factory=dict[str, Button])

    @property
    def alone(self) -> bool:
        """One template card says it all, so that it can be edited in place."""
        return not self.texts


def render(card: Card, surface: Surface, say: Words, *, task: str, edition: int) -> Rendered:
    """The messages of a card.

    Args:
        card: any card.
        surface: where it is shown.
        say: our own words, in the language of the installation: WeCom cannot choose by reader.
        task: begins the `task_id` of each template card; known again in its clicks.
        edition: of the card; begins the name of each press, so that an old button is never taken for a new one.
    """
    laid = lay_out(card, say, edition=edition)
    if surface.compact and (fitting := _fitting(card, laid, surface, say, edition)):
        return Rendered((), ({**fitting, "task_id": f"{task}-0"},), laid.presses)
    more = [surface.style.link(say("shorten.open_page"), whole(surface.page, card))] if surface.page else []

    def attempt(short: Card, left: Counter[str]) -> Rendered | None:
        laid = lay_out(short, say, edition=edition)
        lines = [prose(short, surface.style, laid.tags), *_hints(laid, surface.style, say)]
        lines += [surface.style.literal(left_out(left, say)), *more] if left else []
        texts = split("\n".join(lines), surface.part_bytes)
        if len(texts) > surface.parts:
            return None
        head = elements.titled(card.title, card.subtitle)
        below = ({**body, "main_title": head, "task_id": f"{task}-{n}"} for n, body in enumerate(laid.cards))
        return Rendered(texts, tuple(below), laid.presses)

    return first_fitting(card, attempt) or Rendered(("\n".join([say("shorten.too_large"), *more]),))


def split(text: str, most: int) -> tuple[str, ...]:
    """Text in parts of at most so many bytes of UTF-8, cut at ends of lines where there are any."""
    parts, part = list[str](), b""
    for line in chain.from_iterable(_pieces(line, most) for line in text.strip().encode().splitlines(keepends=True)):
        if len(part) + len(line) > most:
            parts.append(part.decode())
            part = b""
        part += line
    return tuple(shown for shown in (part.strip() for part in [*parts, part.decode()]) if shown) or ("…",)


def _pieces(line: bytes, most: int) -> Iterator[bytes]:
    while len(line) > most:
        end = most
        while line[end] & 0xC0 == 0x80:  # never within a character
            end -= 1
        yield line[:end]
        line = line[end:]
    yield line


def _fitting(card: Card, laid: Layout, surface: Surface, say: Words, edition: int) -> Json | None:
    """The one template card that says all of a card, if there is one."""
    texts = "\n".join(block.text for block in card.blocks if isinstance(block, Text | Note))
    fields = [field for block in card.blocks if isinstance(block, Fields) for field in block.items]
    if (
        not all(isinstance(block, Text | Note | Fields | Buttons) for block in card.blocks)
        or any(button.url for button in buttons(card))
        or not (card.title.strip() and _fits(card.title, TITLE) and _fits(card.subtitle, SUBTITLE))
        or len(texts) > BODY
        or len(fields) > FIELDS
        or not all(_fits(field.label, LABEL) and _fits(field.value, VALUE) for field in fields)
        or len(laid.cards) > 1
        or laid.typed
        or laid.folded
    ):
        return None
    body = _body(card, texts, fields)
    if laid.cards:
        return {**body, **laid.cards[0]}
    return {**body, **_notice(laid, surface.page, say, edition)} if surface.page else None


def _fits(text: str, most: int) -> bool:
    return clip(text, most) == text


def _body(card: Card, texts: str, fields: list[Field]) -> Json:
    return {
        "main_title": elements.titled(card.title, card.subtitle),
        **({"sub_title_text": texts} if texts.strip() else {}),
        **({"horizontal_content_list": elements.fields(fields)} if fields else {}),
    }


def _notice(laid: Layout, page: str, say: Words, edition: int) -> Json:
    """A card with nothing to press. Its menu is what makes WeCom let it be edited later."""
    usual = {f"{edition}.{word}": Button(say(f"views.button.{word}"), word) for word in ("overview", "help")}
    laid.presses.update(usual)
    menu = elements.menu(say("wecom.menu"), [(button.label, press) for press, button in usual.items()])
    return {"card_type": "text_notice", "card_action": elements.opening(page), "action_menu": menu}


def _hints(laid: Layout, style: Style, say: Words) -> Iterator[str]:
    """What stands on no button, as the line to type; and what shortened labels mean."""
    yield from (style.literal(f"{shown} = {label}") for shown, label in laid.folded.items())
    if laid.typed:
        yield style.literal(say("wecom.typed"))
        for label, button in laid.typed:
            line = " ".join(["/" + button.command, *button.arguments.values()])
            yield style.literal(f"{label}: {line}")
