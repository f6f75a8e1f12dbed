"""Which model answers is what an administrator chose, from one question to the next."""

from datetime import UTC, datetime

from core.access import Access
from core.agent import Agent
from core.agent.history import History
from core.messages import Actor, Conversation, Message
from core.proposals import Proposals
from core.schedulers.fleet import Fleet
from core.settings import Model, PersonSettings
from core.store import Store
from core.tools.act import Act
from core.tools.look import Look
from tests.fakes.openai import Says, says, serving
from tests.fakes.pipeline import Pipeline
from tests.fakes.wall_clock import WallClock


async def test_the_chosen_model_is_asked_and_none_when_none_may_be_used(sqlite_store: Store) -> None:
    """Without a restart; and with none, not one byte goes to the model's server."""
    clock, chosen = WallClock(), [""]
    access = Access((PersonSettings(name="ann", role="viewer"),))
    look = Look(Fleet([Pipeline()]), access, clock=clock)
    async with serving(says(*[Says(calls=(("overview", {}),))] * 9)) as fake:
        agent = Agent(
            Model(name="first", others=("second",), base_url=fake.base_url, turn_steps=1),
            look,
            Act(look, access, Proposals(sqlite_store, clock=clock)),
            History(sqlite_store),
            chosen=lambda: chosen[-1],
        )

        async def answered_by(model: str) -> str:
            chosen.append(model)
            actor, talk = Actor("terminal", "ann"), Conversation("terminal", "1")
            message = Message("1", talk, actor, "昨晚怎么样", datetime.now(UTC))
            return (await agent.answer(message, access.person(actor), progress=lambda _: None)).source

        sources = [await answered_by(model) for model in ("first", "second", "", "first")]
        asked = [body["model"] for body in fake.requests]
    assert sources == ["model", "model", "rules", "model"]
    assert asked == ["first", "second", "first"]
