"""Proposals: one transition for any number of clicks, deadlines inside the statement, nothing proposed twice."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.access import Person
from core.errors import NotFound, Stale
from core.messages import Conversation
from core.proposals import VALID_FOR, Proposals
from core.results import Member
from core.schedulers.base import Instance, Operation, Status, Task
from core.store import Store

TASK = Task("demo", "1", "dws_trade_order_di", "trade", owners=("陈晓雯",), outputs=("dws_trade_order_di",))
FAILED = Instance("1_20261121", TASK, Status.FAILED, run_number=1, scheduled_at=datetime(2026, 11, 22, tzinfo=UTC))
CHEN = Person("chen", "operator", frozenset({"*"}))
CHAT = Conversation("feishu", "oc_1", "group")


class Clock:
    """The present, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Nine in the morning in Shanghai."""
    return Clock()


@pytest.fixture
def proposals(store: Store, clock: Clock) -> Proposals:
    """An empty table."""
    return Proposals(store, clock=clock)


async def test_what_was_proposed_is_read_back_whole(proposals: Proposals) -> None:
    """The card is drawn from the stored record, so nothing of it may be lost."""
    below = Member(replace(FAILED, id="2_20261121"), 2)
    made = await proposals.propose(
        CHEN, CHAT, Operation.RERUN_DOWNSTREAM, FAILED, members=(below,), effects=("assets_again",)
    )
    assert (made.state, made.instance, made.members, made.affected) == ("open", FAILED, (below,), 2)
    assert (await proposals.get(made.id)).shown == made


async def test_the_same_request_is_the_same_proposal_until_it_is_decided(proposals: Proposals) -> None:
    """A turn that is repeated after a crash, or an impatient person, opens no second one."""
    first = await proposals.propose(CHEN, CHAT, Operation.RERUN, FAILED)
    assert (await proposals.propose(CHEN, CHAT, Operation.RERUN, FAILED)).id == first.id
    others = [
        await proposals.propose(CHEN, CHAT, Operation.RERUN_DOWNSTREAM, FAILED),
        await proposals.propose(replace(CHEN, name="li"), CHAT, Operation.RERUN, FAILED),
        await proposals.propose(CHEN, CHAT, Operation.RERUN, replace(FAILED, run_number=2)),
    ]
    await proposals.decide(first.id, "cancelled", "chen")
    others.append(await proposals.propose(CHEN, CHAT, Operation.RERUN, FAILED))
    assert len({first.id, *(other.id for other in others)}) == 5


async def test_two_hundred_clicks_make_one_transition(proposals: Proposals) -> None:
    """Whoever changes no row was too late."""
    made = await proposals.propose(CHEN, CHAT, Operation.RERUN, FAILED)
    clicks = [proposals.decide(made.id, "confirmed" if n % 2 else "cancelled", f"p{n}") for n in range(200)]
    outcomes = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, Stale) for outcome in outcomes if outcome is not None)
    winner = (await proposals.get(made.id)).shown
    assert outcomes[int(winner.decider[1:])] is None


async def test_the_deadline_is_part_of_the_statement(proposals: Proposals, clock: Clock) -> None:
    """No timer has to run for an old click to be refused."""
    made = await proposals.propose(CHEN, CHAT, Operation.RERUN, FAILED)
    clock.now += VALID_FOR
    assert (await proposals.get(made.id)).shown.state == "expired"
    with pytest.raises(Stale) as late:
        await proposals.decide(made.id, "confirmed", "chen")
    assert late.value.details["state"] == "expired"


async def test_moves_leave_only_the_states_they_name(proposals: Proposals) -> None:
    """Executed once: the second claim finds nothing to claim."""
    made = await proposals.propose(CHEN, CHAT, Operation.RERUN, FAILED)
    assert not await proposals.move(made.id, ("confirmed",), "executing")
    await proposals.decide(made.id, "confirmed", "chen")
    assert await proposals.unfinished() == (made.id,)
    assert await proposals.move(made.id, ("confirmed",), "executing")
    assert not await proposals.move(made.id, ("confirmed",), "executing")
    assert await proposals.move(made.id, ("executing",), "succeeded", run_number=2, message="done")
    record = await proposals.get(made.id)
    assert (record.shown.state, record.run_number, record.shown.message) == ("succeeded", 2, "done")
    assert await proposals.unfinished() == ()


async def test_unknown_ids_are_not_found(proposals: Proposals) -> None:
    """Also ids that try to be something else."""
    for proposal_id in ("P-AAAAAA", "' OR 1=1 --", ""):
        with pytest.raises(NotFound):
            await proposals.get(proposal_id)


async def test_an_id_can_be_read_out(proposals: Proposals) -> None:
    """No letters and digits that sound or look alike."""
    made = await proposals.propose(CHEN, CHAT, Operation.RERUN, FAILED)
    assert made.id.startswith("P-")
    assert not set(made.id[2:]) & set("01OIL")
    assert made.expires_at - timedelta(minutes=1) > datetime(2026, 11, 22, 1, tzinfo=UTC)
