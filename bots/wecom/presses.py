"""Which buttons of a card stand on which template card, and what a click on each of them means.

Every press has a name, `<edition>.<number>`, that WeCom gives back; what was chosen in a list is named after the press,
`<press>/<list>.<option>`. The meanings stay with us (`core.sent_cards`), so a click can only press what we showed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from bots.wecom import elements
from bots.wecom.elements import BUTTON, BUTTONS, OPTIONS, SELECTORS, WHICH, Json, clip
from core.cards import Button, Buttons, Card, Form, Item
from core.i18n import Words

T = TypeVar("T")

_NUMBER = re.compile(r"^\d+\. ")
"""Of an item in a list; its tag names it as well, and an option has room for ten characters."""

CARDS = 3
"""Most template cards for one core card; what they cannot hold is typed."""

Group = list[tuple[str, Item]]
"""Items and what each is called."""


@dataclass(slots=True)
class Layout:
    """Template cards for the buttons of a card.

    Attributes:
        cards: without head and task id.
        tags: what each item of the card is called on buttons and in lists; empty where it needs no name.
        typed: what found no place and is to be typed.
        folded: labels that are longer than a button shows, by what it shows.
        presses: what each press means.
    """

    cards: list[Json] = field(default_factory=list[Json])
    tags: list[str] = field(default_factory=list[str])
    typed: list[tuple[str, Button]] = field(default_factory=list[tuple[str, Button]])
    folded: dict[str, str] = field(default_factory=dict[str, str])
    presses: dict[str, Button] = field(default_factory=dict[str, Button])


def lay_out(card: Card, say: Words, *, edition: int) -> Layout:
    """Place the buttons of a card.

    Args:
        card: any card.
        say: our own words.
        edition: see `bots.wecom.cards.render`.
    """
    return _Desk(card, say, edition).layout


def meaning(
    presses: Mapping[str, Button], press: str, chosen: Sequence[tuple[str, str]]
) -> tuple[Button, dict[str, str]] | None:
    """What a click means: the button, and what was entered. None when we never showed such a button.

    Args:
        presses: what each press of the card means.
        press: the name that WeCom gives back.
        chosen: list and option, for each list of the card.
    """
    named = [presses[name] for name in (f"{press}/{key}.{option}" for key, option in chosen) if name in presses]
    first = f"{press}/{WHICH}.0"  # what the list shows when nobody touched it
    found = [*(button for button in named if button.command), *(presses[n] for n in (press, first) if n in presses)]
    if not found:
        return None
    entered = chain.from_iterable(button.arguments.items() for button in named if not button.command)
    return found[0], dict(entered)


class _Desk:
    """Lays out one card."""

    def __init__(self, card: Card, say: Words, edition: int) -> None:
        self._say = say
        self._edition = edition
        self._number = 0
        self.layout = Layout(tags=_tags(card))
        groups = _groups(card, self.layout.tags)
        shared = [part for group in groups if len(group) > 1 for part in _chunks(group, OPTIONS)]
        direct = [*_direct(card, {id(item): tag for group in groups if len(group) == 1 for tag, item in group})]
        if shared and len(_commands(shared[0][0][1].buttons)) + len(direct) <= BUTTONS:
            self._share(shared.pop(0), direct)
            direct = []
        for part in _chunks(direct, BUTTONS):
            self._row(part)
        for group in shared:
            self._share(group, [])
        for block in card.blocks:
            if isinstance(block, Form):
                self._form(block)

    def _row(self, offered: list[tuple[str, Button]]) -> None:
        if len(self.layout.cards) == CARDS:
            self.layout.typed += offered
        else:
            self._add({"button_list": [self._button(label, button) for label, button in offered]})

    def _share(self, group: Group, direct: list[tuple[str, Button]]) -> None:
        """One card for items that offer the same: choose which, then press what."""
        offered = [_commands(item.buttons) for _, item in group]
        actions = [*zip(*offered, strict=True)]
        shown = actions[:BUTTONS] if len(self.layout.cards) < CARDS else []
        for action in actions[len(shown) :]:
            self.layout.typed += [
                (f"{tag} {button.label}", button) for (tag, _), button in zip(group, action, strict=True)
            ]
        if not shown:
            return
        listed = [self._about(action) for action in shown]
        names = [f"{tag} {_NUMBER.sub('', item.title)}" for tag, item in group]
        rest = [self._button(label, button) for label, button in direct]
        which = elements.selector(self._say("wecom.which"), WHICH, names)
        self._add({"button_selection": which, "button_list": [*listed, *rest]})

    def _form(self, form: Form) -> None:
        """A form of short lists is a card; anything else has to be typed."""
        lists = [item for item in form.inputs if item.kind == "select" and 1 <= len(item.options) <= OPTIONS]
        if not lists or len(lists) < len(form.inputs) or len(lists) > SELECTORS or len(self.layout.cards) == CARDS:
            self.layout.typed.append((form.submit.label, form.submit))
            return
        press = self._press(form.submit)
        for number, item in enumerate(lists):
            for option, (value, _) in enumerate(item.options):
                self.layout.presses[f"{press}/{number}.{option}"] = Button(item.name, "", {item.name: value})
        submit = {"text": self._label(form.submit.label), "key": press}
        selects = [elements.choice(item, str(number)) for number, item in enumerate(lists)]
        self.layout.cards.append({"card_type": "multiple_interaction", "select_list": selects, "submit_button": submit})

    def _add(self, card: Json) -> None:
        self.layout.cards.append({"card_type": "button_interaction", **card})

    def _button(self, label: str, button: Button) -> Json:
        return elements.button(button, self._label(label), self._press(button))

    def _about(self, action: Sequence[Button]) -> Json:
        """A button whose meaning depends on the chosen item."""
        press = self._press(None)
        for number, button in enumerate(action):
            self.layout.presses[f"{press}/{WHICH}.{number}"] = button
        return elements.button(action[0], self._label(action[0].label), press)

    def _press(self, button: Button | None) -> str:
        press = f"{self._edition}.{self._number}"
        self._number += 1
        if button is not None:
            self.layout.presses[press] = button
        return press

    def _label(self, label: str) -> str:
        shown = clip(label, BUTTON) or "-"
        if shown != label:
            self.layout.folded[shown] = label
        return shown


def _tags(card: Card) -> list[str]:
    """A, B, C … for the items one can press something about, when there are several."""
    items = [block for block in card.blocks if isinstance(block, Item)]
    several = sum(bool(_commands(item.buttons)) for item in items) > 1
    letters = _letters()
    return [next(letters) if several and _commands(item.buttons) else "" for item in items]


def _letters() -> Iterator[str]:
    for number in range(1000):
        yield from (f"{letter}{number or ''}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _groups(card: Card, tags: Sequence[str]) -> list[Group]:
    """Items by what they offer, in reading order; without those that offer nothing."""
    items = [block for block in card.blocks if isinstance(block, Item)]
    groups: dict[tuple[str, ...], Group] = {}
    for tag, item in zip(tags, items, strict=True):
        if labels := tuple(button.label for button in _commands(item.buttons)):
            groups.setdefault(labels, []).append((tag, item))
    return [*groups.values()]


def _direct(card: Card, alone: Mapping[int, str]) -> Iterator[tuple[str, Button]]:
    """Buttons beside each other, in reading order: rows, and those of items that share with no other."""
    for block in card.blocks:
        if isinstance(block, Buttons):
            yield from ((button.label, button) for button in _commands(block.items))
        elif isinstance(block, Item) and id(block) in alone:
            tag = alone[id(block)]
            yield from ((f"{tag} {button.label}".strip(), button) for button in _commands(block.buttons))


def _commands(offered: Sequence[Button]) -> list[Button]:
    return [button for button in offered if not button.url]


def _chunks(parts: list[T], size: int) -> list[list[T]]:
    return [parts[start : start + size] for start in range(0, len(parts), size)]
