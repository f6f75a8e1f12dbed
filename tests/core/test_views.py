"""What people read. The texts in `tests/data/views` are there to be reviewed by a person who never saw the code.

After a change of wording: `python -m tests.core.test_views` writes them anew, and the diff is the review.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access import Person
from core.cards import CARD, Card, Item, Log, buttons
from core.i18n import LANGUAGES, words
from core.redact import clean
from core.results import Diagnosed, InstanceDetail, InstanceList, LogView, Notice, Proposal, Result
from core.schedulers.base import Flags, Instance, LogPage, Operation, Status
from core.views import apology, busy, progress, show
from core.views.reader import Reader, plain
from tests.samples import (
    ADMIN,
    DAY,
    DIAGNOSIS,
    FAILED,
    FROZEN,
    NOW,
    OPERATOR,
    OVERVIEW,
    PROPOSAL,
    RUNNING,
    SAMPLES,
    VIEWER,
    ZONE,
)
from tests.strategies import of, texts, zones

TEXTS = Path(__file__).parents[1] / "data/views"
IN_ENGLISH = (
    "overview",
    "failed",
    "detail-waiting",
    "table-dry-run",
    "diagnosis",
    "proposal-open",
    "proposal-unknown",
    "watch-ready-called",
    "overview-mirror",
    "failed-mirror-after-a-gap",
    "detail-namesake",
)
IN_TAIWAN = (
    "overview",
    "diagnosis",
    "proposal-open",
    "watch-ready-called",
    "mute-preview",
    "overview-mirror",
    "failed-mirror-after-a-gap",
)
GOLDEN = [
    *((name, "zh-CN") for name in SAMPLES),
    *((name, "en") for name in IN_ENGLISH),
    *((name, "zh-TW") for name in IN_TAIWAN),
]
WRITES = {"propose", "confirm", "cancel", "choose", "backfill", "batch"}
COMMANDS = WRITES | {
    "approve", "reject", "withdraw", "execute", "ticket",
    "overview", "failed", "repeated", "mine", "instances", "status", "log", "upstream", "downstream", "diagnose",
    "table", "rerun-failed", "help", "whoami", "link", "follow", "mute", "mutes", "watches", "unwatch", "ack",
    "unsubscribe",
}  # fmt: skip
"""Words that may stand on a button; what `core.commands` answers."""

people = st.sampled_from((OPERATOR, ADMIN, VIEWER)) | of(Person)


def text(name: str, language: str) -> str:
    """A sample as an operator reads it."""
    return show(SAMPLES[name], words(language), ZONE, OPERATOR).as_text() + "\n"


def shown(result: Result, person: Person = OPERATOR) -> Card:
    """A result in English."""
    return show(result, words("en"), ZONE, person)


def commands(card: Card) -> list[str]:
    """Commands of all buttons, in order; proposals with their operation."""
    return [" ".join(filter(None, (button.command, button.arguments.get("operation")))) for button in buttons(card)]


@pytest.mark.parametrize(("name", "language"), GOLDEN)
def test_cards_read_as_reviewed(name: str, language: str) -> None:
    """The wording is the product; a change of it shows as a diff of these files."""
    assert text(name, language) == (TEXTS / f"{name}.{language}.txt").read_text("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@given(result=of(Result), person=people, zone=zones)
def test_any_result_makes_a_card(language: str, result: Result, person: Person, zone: ZoneInfo) -> None:
    """Whatever a scheduler, a log or a person wrote: a card of bounded size, without invisible characters, in JSON."""
    card = show(result, words(language), zone, person)
    said = card.as_text()
    assert clean(said) == said
    assert max(map(len, said.splitlines())) < 5_000
    assert CARD.validate_json(CARD.dump_json(card)) == card
    known = COMMANDS | {getattr(result, "command", "")}
    assert {button.command for button in buttons(card) if not button.url} <= known
    assert card.title
    assert card.blocks


@given(result=of(Result))
def test_a_viewer_is_offered_nothing_that_changes(result: Result) -> None:
    """Also not where a scheduler lists the viewer as owner or the projects match."""
    viewer = Person("guest", "viewer", frozenset({"*"}), frozenset({"陈晓雯"}))
    assert not WRITES & {button.command for button in buttons(shown(result, viewer))} or _asked_by(result, viewer)


def _asked_by(result: Result, person: Person) -> bool:
    return isinstance(result, Proposal) and result.requester == person.name


@given(result=of(InstanceList))
def test_every_listed_instance_names_its_owner(result: InstanceList) -> None:
    """Or says that nobody is listed: whoever reads the card must know whom to call."""
    items = [block for block in shown(result).blocks if isinstance(block, Item)]
    assert len(items) == len(result.instances)
    assert all(item.fields[0].label == "Owner" and item.fields[0].value for item in items)


@pytest.mark.parametrize("flag", ["frozen", "dry_run", "forced", "off_cycle"])
@pytest.mark.parametrize("status", list(Status))
def test_flags_stand_beside_every_status_in_words(status: Status, flag: str) -> None:
    """A frozen node "fails" and a dry run "succeeds": the status word alone would mislead."""
    instance = replace(FAILED, status=status, flags=Flags(**{flag: True}))
    said = words("zh-CN")
    (item,) = (block for block in _listed(instance).blocks if isinstance(block, Item))
    assert said(f"status.{status}") in item.subtitle
    assert said(f"status.flag.{flag}") in item.subtitle


def _listed(instance: Instance) -> Card:
    return show(InstanceList("all", DAY, NOW, (instance,), 1), words("zh-CN"), ZONE, OPERATOR)


@pytest.mark.parametrize(
    ("person", "offered"),
    [
        (VIEWER, []),
        (Person("other", "operator", frozenset({"crm"})), []),
        (Person("named", "operator", frozenset({"demo:trade_dw"})), ["propose rerun", "propose rerun_downstream"]),
        (OPERATOR, ["propose rerun", "propose rerun_downstream"]),
        (ADMIN, ["propose rerun", "propose rerun_downstream", "propose set_success"]),
    ],
    ids=lambda value: value.name if isinstance(value, Person) else "",
)
def test_operations_are_offered_by_right(person: Person, offered: list[str]) -> None:
    """By role and by project, as `Access.may_operate` will decide at the click."""
    found = commands(shown(SAMPLES["detail-failed"], person))
    assert [word for word in found if word.startswith("propose")] == offered


def test_a_frozen_instance_is_unfrozen_before_it_is_rerun() -> None:
    """A rerun of a frozen instance "fails" again, so it is not offered."""
    assert commands(_listed(FROZEN))[:2] == ["diagnose", "propose unfreeze"]


def test_only_an_administrator_may_stop_a_run() -> None:
    """Stopping is among the riskier operations, and never offered from a list."""
    running = InstanceDetail(RUNNING, NOW)
    assert "propose kill" in commands(shown(running, ADMIN))
    assert "propose kill" not in commands(shown(running, OPERATOR))
    assert "propose kill" not in commands(shown(InstanceList("running", DAY, NOW, (RUNNING,), 1), ADMIN))


def test_only_who_may_carry_it_out_can_confirm_and_only_while_it_is_open() -> None:
    """The requester may withdraw; others see a card without a decision."""
    assert commands(shown(PROPOSAL))[:2] == ["confirm", "cancel"]
    assert commands(shown(PROPOSAL, Person("demo", "viewer")))[:1] == ["cancel"]
    assert not {"confirm", "cancel"} & set(commands(shown(PROPOSAL, VIEWER)))
    for state in ("confirmed", "executing", "following", "succeeded", "failed", "cancelled", "expired", "made up"):
        assert not {"confirm", "cancel"} & set(commands(shown(replace(PROPOSAL, state=state))))


def test_the_riskier_operations_are_confirmed_with_a_warning_button() -> None:
    """And the plain rerun is not: a warning on everything warns of nothing."""
    risky = replace(PROPOSAL, operation=Operation.SET_SUCCESS)
    assert [button.style for button in buttons(shown(risky, ADMIN))][:2] == ["danger", "default"]
    assert [button.style for button in buttons(shown(PROPOSAL))][:2] == ["primary", "default"]


def test_the_overview_leads_to_the_very_day_it_shows() -> None:
    """A card of yesterday, pressed today, still lists what it counted."""
    failed, mine, *_ = buttons(shown(OVERVIEW))
    assert failed.arguments == {"kind": "failed", "day": "2026-11-22"}
    assert mine.arguments == {"kind": "failed", "day": "2026-11-22", "subject": "mine"}


def test_more_continues_where_the_list_ended() -> None:
    """With the same question, also for what is the reader's own."""
    card = shown(InstanceList("failed", DAY, NOW, (FAILED,), 9, OPERATOR.name, offset=3))
    more = next(button for button in buttons(card) if button.command == "instances")
    assert more.arguments == {"kind": "failed", "day": "2026-11-22", "subject": "mine", "offset": "4"}
    assert "4. dwd_trade_order_di" in card.as_text()


def test_a_long_log_shows_the_marked_lines_and_the_end() -> None:
    """Within the bounds of a card, numbered as in the source, and saying how much there is."""
    page = LogPage(1, tuple(f"line {number}" for number in range(501, 2501)), first=501, total=2500)
    card = shown(LogView(FAILED, page, NOW, frozenset({600, 2499, 99})))
    (log,) = (block for block in card.blocks if isinstance(block, Log))
    numbers = [number for number, _ in log.lines]
    assert numbers == sorted({*range(598, 603), *range(2481, 2501)})
    assert log.marked == {600, 2499}
    assert all(text == f"line {number}" for number, text in log.lines)
    assert "25 of 2500 lines" in card.as_text()


@given(page=of(LogPage), marked=st.frozensets(st.integers(0, 10**6)))
def test_any_log_fits(page: LogPage, marked: frozenset[int]) -> None:
    """However many lines are marked."""
    card = shown(LogView(FAILED, page, NOW, marked))
    assert all(len(block.lines) <= 60 for block in card.blocks if isinstance(block, Log))


def test_a_rerun_leads_only_where_it_helps() -> None:
    """The first button is what most people press."""
    helps = Diagnosed(FAILED, replace(DIAGNOSIS, rerun_helps="yes"), NOW)
    assert commands(shown(helps))[0] == "propose rerun"
    assert commands(shown(Diagnosed(FAILED, DIAGNOSIS, NOW)))[0] == "log"


def test_suggested_commands_become_buttons_and_other_suggestions_examples() -> None:
    """A notice can offer both."""
    card = shown(Notice("help", suggestions=("overview", "why did load_orders fail")))
    assert commands(card) == ["overview"]
    assert "· why did load_orders fail" in card.as_text()


def test_a_key_that_no_catalogue_has_still_makes_a_card() -> None:
    """A vague sentence serves the reader better than none."""
    assert "You can go on like this" in shown(Notice("no such notice")).as_text()


def test_progress_says_what_is_done_and_what_is_going_on() -> None:
    """The last tool that started is still at work; a new tool without words is "working on it"."""
    card = progress(words("en"), ["overview", "diagnose", "brand_new"])
    assert card.as_text().splitlines()[1:] == ["✓ overview of the day", "✓ diagnosing the cause", "… working on it"]
    assert progress(words("en"), []).as_text().splitlines()[1:] == ["One moment."]


def test_busy_and_apology_say_what_to_do() -> None:
    """And the apology carries the number an engineer searches for."""
    assert "send it again" in busy(words("en")).as_text()
    assert "t-4711" in apology(words("en"), "t-4711").as_text()


def reader(zone: str = "Asia/Shanghai", language: str = "en") -> Reader:
    """Someone in a zone."""
    return Reader(words(language), ZoneInfo(zone), VIEWER)


@pytest.mark.parametrize(
    ("zone", "language", "written"),
    [
        ("Asia/Shanghai", "zh-CN", "截至 11-22 03:14（北京时间 UTC+8）"),
        ("Asia/Taipei", "zh-TW", "截至 11-22 03:14（台北時間 UTC+8）"),
        ("Asia/Kathmandu", "en", "As of 11-22 00:59 (Asia/Kathmandu UTC+5:45)"),
        ("America/New_York", "en", "As of 11-21 14:14 (America/New_York UTC-5)"),
        ("America/St_Johns", "en", "As of 11-21 15:44 (America/St_Johns UTC-3:30)"),
        ("UTC", "en", "As of 11-21 19:14 (UTC)"),
    ],
)
def test_times_name_their_zone(zone: str, language: str, written: str) -> None:
    """From the configured zone, whichever it is."""
    assert reader(zone, language).as_of(NOW) == written


def test_a_time_of_another_year_or_offset_says_so() -> None:
    """New year's night, and the night the clocks change."""
    assert reader().moment(datetime(2025, 12, 31, 20, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)) == "01-01 04:00"
    assert reader().moment(datetime(2025, 12, 31, 2, tzinfo=UTC), NOW) == "2025-12-31 10:00"
    before, after = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert reader("America/New_York").moment(before, after) == "11-01 01:30 UTC-4"
    assert reader("America/New_York").moment(after, after) == "11-01 01:30"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (7_200, "2 h ago"),
        (172_800, "2 d ago"),
        (-30, "at once"),
        (-2_760, "in 46 min"),
    ],
)
def test_ages(seconds: int, written: str) -> None:
    """The largest unit only, both ways."""
    assert reader().age(NOW - timedelta(seconds=seconds), NOW) == written


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (3_900, "1 h 5 min")]
)
def test_durations(seconds: float, written: str) -> None:
    """Two units at most."""
    assert reader().duration(seconds) == written


@given(texts, st.integers(1, 200))
def test_plain_text_is_one_bounded_line(outside: str, limit: int) -> None:
    """No newline forges a second line of a card, no name fills a screen."""
    line = plain(outside, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert plain(line, limit) == line


if __name__ == "__main__":
    for name, language in GOLDEN:
        (TEXTS / f"{name}.{language}.txt").write_text(text(name, language), "utf-8")
