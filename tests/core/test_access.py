"""Rights: default deny, projects, roles, and identities that are linked and never guessed."""

import pytest

from core.access import Access
from core.errors import Denied
from core.messages import Actor
from core.schedulers.base import Operation, Task
from core.settings import PersonSettings

ORDERS = Task("prod", "1", "load_orders", "trade", owners=("陈晓雯", "李雷"))
PEOPLE = (
    PersonSettings(
        name="chen", role="operator", projects=("trade",), owners=("陈晓雯",), identities={"feishu": "ou_1"}
    ),
    PersonSettings(name="guest", role="viewer", projects=("*",)),
    PersonSettings(name="boss", role="admin", projects=("*",)),
    PersonSettings(name="test", role="operator", projects=("staging:trade",)),
)


@pytest.fixture
def access() -> Access:
    """Four people."""
    return Access(PEOPLE)


def test_an_actor_is_a_person_only_through_a_listed_identity(access: Access) -> None:
    """Name, tenant and a like id on another channel grant nothing."""
    assert access.person(Actor("feishu", "ou_1")).name == "chen"
    for actor in (Actor("dingtalk", "ou_1"), Actor("feishu", "ou_2", name="chen"), Actor("feishu", "chen")):
        assert access.person(actor).role == "stranger"


def test_the_terminal_and_the_page_know_people_by_name(access: Access) -> None:
    """Whoever gets there holds the settings' own secrets."""
    assert access.person(Actor("terminal", "boss")).role == "admin"
    assert access.person(Actor("web", "nobody")).role == "stranger"


@pytest.mark.parametrize(
    ("name", "operation", "allowed"),
    [
        ("chen", Operation.RERUN, True),
        ("chen", Operation.SET_SUCCESS, False),
        ("guest", Operation.RERUN, False),
        ("boss", Operation.SET_SUCCESS, True),
        ("test", Operation.RERUN, False),
    ],
)
def test_role_and_project_decide_together(access: Access, name: str, operation: Operation, allowed: bool) -> None:
    """A right needs the role for the operation and the task's project; another scheduler's namesake does not count."""
    person = access.named(name)
    assert person is not None
    assert person.may(operation, ORDERS) is allowed
    if allowed:
        access.may_operate(person, operation, ORDERS)
    else:
        with pytest.raises(Denied):
            access.may_operate(person, operation, ORDERS)


def test_every_operation_needs_a_role(access: Access) -> None:
    """A new operation without an entry would be a KeyError here, not a hole."""
    stranger = access.person(Actor("feishu", "ou_9"))
    for operation in Operation:
        with pytest.raises(Denied):
            access.may_operate(stranger, operation, ORDERS)


def test_strangers_may_not_look(access: Access) -> None:
    """Logs and names are not for whoever finds the bot."""
    access.may_look(access.person(Actor("web", "guest")))
    with pytest.raises(Denied):
        access.may_look(access.person(Actor("web", "ou_1")))
