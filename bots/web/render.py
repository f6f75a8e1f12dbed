"""Entries and pages as HTML. Templates escape everything; what is markup in a card's text is shown, not obeyed.

Buttons are numbered in reading order, as `core.cards.buttons` yields them: a press names the card and the number, and the
server looks up what that button does.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bots.messenger import ADMIN, PAGE, Script
from bots.web import charts
from bots.web.assets import assets
from bots.web.gate import Visit
from core.cards import Log
from core.i18n import LANGUAGES, Words
from core.web_cards import Entry

NUMBER = re.compile(r"(\d[\d,]*)")
LANGUAGE_NAMES = {"zh-CN": "简体中文", "zh-TW": "繁體中文", "en": "English"}
SUGGESTIONS = ("failed", "repeated", "mine", "table", "help")
TABLE_ROWS = 500
LOG_LINES = 500
"""Most rows and lines that are drawn, so that a phone can scroll the page; what is left out is counted."""
OPEN_LINES = 12
"""A log of more lines stays folded, unless some are marked."""


class Renderer:
    """Fills the templates.

    Args:
        zone: of the times shown.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def entry(self, entry: Entry, words: Words) -> str:
        """One entry of the dialogue, or the overview."""
        return self._fill("entry.html", words, entry=entry, number=count().__next__)

    def page(
        self,
        visit: Visit,
        *,
        token: str,
        revision: int,
        oldest: int,
        entries: Sequence[Entry],
        overview: Entry | None,
        fresh: bool,
        place: str,
    ) -> str:
        """The whole page.

        Args:
            visit: for whom.
            token: the session's token, for the script.
            revision: up to which the page is current.
            oldest: place of the first entry, if there may be older ones; else 0.
            entries: the newest of the dialogue, in reading order.
            overview: as it is stored.
            fresh: whether that was just looked up; otherwise the script asks for a new one.
            place: the instance to ask about at once, where a deep link led here.
        """
        return self._fill(
            "page.html",
            visit.words,
            visit=visit,
            token=token,
            revision=revision,
            oldest=oldest,
            fresh=fresh,
            place=place,
            overview=overview and Markup(self.entry(overview, visit.words)),  # noqa: S704  # escaped by the template
            entries=[Markup(self.entry(entry, visit.words)) for entry in entries],  # noqa: S704  # the same
            suggestions=[visit.words(f"web.suggestion.{name}") for name in SUGGESTIONS],
        )

    def sign_on(
        self, words: Words, *, problem: str, messenger: str, script: Script | None, place: str, again: str
    ) -> str:
        """The form that asks for the token.

        Args:
            words: in which language.
            problem: a key of the catalogues, if the last attempt failed.
            messenger: which one it is shown in, if any.
            script: of that messenger, which may make the token needless.
            place: the instance to show afterwards.
            again: address of another try without the token, if there may be one.
        """
        values = {"messenger": messenger, "script": script, "place": place, "again": again}
        return self._fill("sign_on.html", words, problem=problem, **values)

    def _fill(self, template: str, words: Words, **values: object) -> str:
        values |= FUNCTIONS | {
            "words": words,
            "zone": self._zone,
            "path": PAGE,
            "admin": ADMIN,
            "plot_height": charts.HEIGHT,
        }
        values |= {"table_rows": TABLE_ROWS}
        values["assets"] = {name: asset.url for name, asset in assets().items()}
        values["languages"] = [(language, LANGUAGE_NAMES[language]) for language in LANGUAGES]
        return environment().get_template(template).render(values)


@cache
def environment() -> Environment:
    """The templates."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _kind(block: object) -> str:
    return type(block).__name__.lower()


def _numerals(text: str) -> Markup:
    """The text with its numbers set apart, for tiles that are read from a distance."""
    words_and_numbers = NUMBER.split(text)
    bold = Markup("<b>{}</b>")
    return Markup("").join(bold.format(part) if at % 2 else part for at, part in enumerate(words_and_numbers))


def _web_address(url: str) -> str:
    """The address if a browser may follow it; empty for scripts, data and the rest."""
    return url if url.startswith(("https://", "http://")) else ""


def _kept(log: Log) -> list[tuple[int, str]]:
    """The lines that are drawn: the marked ones, and the last of the others."""
    spare = len(log.lines) - LOG_LINES
    return [line for at, line in enumerate(log.lines) if at >= spare or line[0] in log.marked]


def _rows(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str] | None]:
    """Lines of a log, with None where lines are left out."""
    rows: list[tuple[int, str] | None] = []
    for before, line in zip((None, *lines), lines, strict=False):
        if before and line[0] > before[0] + 1:
            rows.append(None)
        rows.append(line)
    return rows


def _unfolded(log: Log) -> bool:
    return bool(log.marked) or len(log.lines) <= OPEN_LINES


FUNCTIONS: dict[str, object] = {
    "kept": _kept,
    "kind": _kind,
    "marks": charts.marks,
    "numerals": _numerals,
    "polyline": charts.path,
    "rows": _rows,
    "unfolded": _unfolded,
    "web_address": _web_address,
}
"""What templates may call."""
