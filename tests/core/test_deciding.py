"""Words that propose, choose and decide, as typed and as pressed."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from core.commands import Asked, Commands, deciding
from core.errors import BadInput, Denied
from core.results import DaysWanted, Notice, Proposal, Result
from core.schedulers.base import Operation, Status
from core.schedulers.fleet import Fleet
from core.store import Store
from core.tools.act import Act
from core.tools.look import Look
from tests.fakes.desk import of
from tests.fakes.pipeline import Plant
from tests.fakes.world import CHAT, World, build

NAMES = ("alpha", "bravo", "charlie")


class Talk:
    """Someone who types and presses."""

    def __init__(self, store: Store) -> None:
        self.plant = Plant(*NAMES)
        self.world: World = build(store, self.plant)
        look = Look(Fleet([self.plant]), self.world.access, clock=self.world.timeline)
        act = Act(look, self.world.access, self.world.proposals)
        self.commands = Commands(deciding(look, act, self.world.execution))

    async def type(self, line: str, name: str = "boss") -> Result | None:
        """A line after a slash."""
        word, arguments = self.commands.parse(line)
        return await self.commands.run(word, Asked(self.world.person(name), CHAT, arguments))

    async def press(self, word: str, arguments: Mapping[str, str], name: str = "boss") -> Result | None:
        """A button on a card."""
        return await self.commands.run(word, Asked(self.world.person(name), CHAT, arguments, pressed=True))


@pytest.fixture
async def talk(sqlite_store: Store) -> Talk:
    return Talk(sqlite_store)


def made(result: Result | None) -> Proposal:
    """The proposal that was answered."""
    assert result is not None
    return of(Proposal, result)


async def test_a_backfill_is_typed_with_its_days_or_asked_for_them(talk: Talk) -> None:
    asked = await talk.type("/backfill alpha")
    assert asked is not None
    days = of(DaysWanted, asked)
    form = {"target": days.instance.task.ref, "start": days.start.isoformat(), "end": days.end.isoformat()}
    assert made(await talk.press("backfill", form)).affected == 1
    proposal = made(await talk.type("/backfill alpha 2026-11-01 2026-11-03"))
    assert (proposal.operation, proposal.affected) == (Operation.BACKFILL, 3)


async def test_what_failed_is_rerun_only_after_a_card_that_lists_it(talk: Talk) -> None:
    """Typed or pressed: nothing is done before somebody confirms the list."""
    typed = made(await talk.type("/rerun-failed trade"))
    pressed = made(await talk.press("batch", {"operation": "rerun", "kind": "failed", "subject": "trade"}))
    assert (typed.id, len(typed.members), talk.plant.orders) == (pressed.id, 3, [])
    assert (await talk.type(f"/confirm {typed.id}")) is not None
    await talk.world.timeline.pass_time(60)
    assert [order.instance for order in talk.plant.orders] == list(NAMES)


async def test_a_choice_that_is_pressed_changes_the_card_and_says_nothing_more(talk: Talk) -> None:
    proposal = made(await talk.type("/propose rerun_downstream alpha"))
    await talk.world.show(proposal)
    assert await talk.press("choose", {"proposal": proposal.id, "scope": "none"}) is None
    assert (await talk.world.execution.look_up(proposal.id)).affected == 1
    assert made(await talk.type(f"/choose {proposal.id} all")).affected == 3
    with pytest.raises(BadInput):
        await talk.type(f"/choose {proposal.id}")


async def test_a_typed_word_that_comes_too_late_is_answered_with_what_became_of_it(talk: Talk) -> None:
    """A press needs no answer: the card already says so."""
    proposal = made(await talk.type("/rerun alpha"))
    await talk.type(f"/cancel {proposal.id}")
    assert made(await talk.type(f"/confirm {proposal.id}")).state == "cancelled"
    assert await talk.press("confirm", {"proposal": proposal.id}) is None
    late = made(await talk.type("/rerun bravo"))
    talk.world.timeline.now += timedelta(hours=1)
    assert made(await talk.type(f"/confirm {late.id}")).state == "expired"


async def test_what_drifted_is_said_and_can_be_asked_for_anew(talk: Talk) -> None:
    proposal = made(await talk.type("/rerun alpha"))
    talk.plant.change("alpha", run_number=5)
    void = made(await talk.type(f"/confirm {proposal.id}"))
    assert (void.state, void.found and void.found.run_number) == ("void", 5)
    again = made(await talk.press("propose", {"operation": "rerun", "target": proposal.instance.ref}))
    assert (again.state, again.instance.run_number) == ("open", 5)


@pytest.mark.parametrize("line", ["/rerun-failed", "/backfill alpha t-1", "/propose kill alpha"])
async def test_a_viewer_proposes_nothing(talk: Talk, line: str) -> None:
    answer = await talk.type(line, "guest")
    assert not isinstance(answer, Proposal)
    assert talk.plant.orders == []


async def test_a_list_of_nothing_that_failed_is_no_proposal(talk: Talk) -> None:
    for name in NAMES:
        talk.plant.change(name, status=Status.SUCCESS)
    answer = await talk.type("/rerun-failed")
    assert answer is not None
    assert of(Notice, answer).text == "nothing_to_change"


async def test_a_button_that_was_forged_for_another_is_denied(talk: Talk) -> None:
    """The id of a proposal is no right to it."""
    proposal = made(await talk.type("/rerun alpha"))
    for word in ("confirm", "cancel", "choose"):
        with pytest.raises(Denied):
            await talk.press(word, {"proposal": proposal.id, "scope": "all"}, "guest")
    assert (await talk.world.state(proposal.id), talk.plant.orders) == ("open", [])
