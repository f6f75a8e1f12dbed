"""The switches: administrators only, known to every replica, and in the trail."""

from collections.abc import Awaitable, Callable

import pytest

from core.access import Access, Person
from core.audit import Audit, Sought
from core.errors import Denied, NotFound
from core.settings import PersonSettings
from core.store import Store
from core.switches import Switches
from tests.fakes.wall_clock import WallClock

PEOPLE = (
    PersonSettings(name="root", role="admin"),
    PersonSettings(name="ops", role="ops_admin"),
    PersonSettings(name="chen", role="operator", projects=("*",), break_glass=True),
)
ROOT, OPS, CHEN = (Person(entry.name, entry.role) for entry in PEOPLE)


def opened(store: Store, *models: str) -> Switches:
    """A replica on a database."""
    clock = WallClock()
    return Switches(store, Access(PEOPLE), Audit(store, clock=clock), models, clock=clock)


async def test_untouched_the_assistant_is_on_and_the_usual_model_is_used(store: Store) -> None:
    """And nobody is said to have done that."""
    switches = opened(store, "qwen", "deepseek")
    await switches.refresh()
    assert (switches.assistant.value, switches.assistant.changed_by) == ("on", "")
    assert switches.model_name == "qwen"
    assert opened(store).model.value == "off"


async def test_while_the_assistant_is_off_it_answers_administrators_only(store: Store) -> None:
    """An operations administrator is one, as with the product this follows."""
    switches = opened(store)
    await switches.turn_assistant(OPS, "off")
    assert [switches.answers(person) for person in (ROOT, OPS, CHEN, Person("feishu:ou_9"))] == [
        True,
        True,
        False,
        False,
    ]
    await switches.turn_assistant(ROOT, "on")
    assert switches.answers(CHEN)


async def test_another_replica_follows(store: Store) -> None:
    """With who switched it, and when."""
    first, second = opened(store, "qwen", "deepseek"), opened(store, "qwen", "deepseek")
    turned = await first.turn_model(ROOT, "deepseek")
    await first.turn_assistant(ROOT, "off")
    await second.refresh()
    assert second.model == turned
    assert (second.model_name, second.assistant.value, second.assistant.changed_by) == ("deepseek", "off", "root")


async def test_a_model_is_one_that_the_settings_allow_or_none(store: Store) -> None:
    """Also afterwards: one that they allow no more is off, not replaced by another one."""
    switches = opened(store, "qwen", "deepseek")
    with pytest.raises(NotFound) as told:
        await switches.turn_model(ROOT, "gpt")
    assert told.value.nearest == ("qwen", "deepseek")
    await switches.turn_model(ROOT, "deepseek")
    later = opened(store, "qwen")
    await later.refresh()
    assert (later.model_name, later.model.value) == ("", "off")
    await switches.turn_model(ROOT, "off")
    assert switches.model_name == ""


@pytest.mark.parametrize("person", [CHEN, Person("feishu:ou_9"), Person("chen", "admin"), Person("rules")])
async def test_nobody_else_may_switch(store: Store, person: Person) -> None:
    """No operator, no stranger, nobody whose rights are from before, and not the rules either."""
    switches = opened(store, "qwen")
    attempts: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: switches.turn_assistant(person, "off"),
        lambda: switches.turn_model(person, "off"),
    )
    for attempt in attempts:
        with pytest.raises(Denied):
            await attempt()
    await switches.refresh()
    assert (switches.assistant.value, switches.model_name) == ("on", "qwen")


async def test_every_switching_is_in_the_trail(store: Store) -> None:
    """Who, what, and to what."""
    switches = opened(store, "qwen")
    await switches.turn_assistant(ROOT, "off")
    await switches.turn_model(OPS, "off")
    found = await Audit(store, clock=WallClock()).search(Sought(action="switch"))
    assert [(entry.actor, entry.action, entry.outcome) for entry in found] == [
        ("ops", "switch.model", "off"),
        ("root", "switch.assistant", "off"),
    ]
