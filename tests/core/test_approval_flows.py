"""Flows as an administrator keeps them: ODC's limits, filters, order, versions; refusals; the YAML document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.approvals.approvers import unmanned
from core.approvals.documents import dump, load
from core.approvals.flows import FlowFilter
from core.approvals.model import Definition, Flow, Level, Node, Range, Scope, Validity
from core.errors import BadInput, Denied, NotFound, Stale
from core.store import Store
from tests.fakes.approvals import Bureau, flow, kill

NODES = (Node(approver="ops_admin@project"),)


@pytest.fixture
async def bureau(store: Store) -> Bureau:
    """On both databases."""
    return Bureau(store)


async def make(bureau: Bureau, name: str, task_type: str = "kill", **more: object) -> Flow:
    """A flow that root made."""
    return await bureau.flows.create(bureau.person("root"), flow(name, task_type, **more))


async def listed(bureau: Bureau, **wanted: object) -> list[str]:
    """Names of the flows that match, in order."""
    flows, total = await bureau.flows.listed(FlowFilter(**wanted))  # pyright: ignore[reportArgumentType]
    assert total == len(flows)
    return [one.name for one in flows]


@pytest.mark.parametrize("name", ["A", "生产停止审批", "kill2", "x" * 110, "㐀"])
def test_a_name_has_letters_digits_and_chinese_characters(name: str) -> None:
    """At most 110, as in ODC."""
    assert flow(name).name == name


@pytest.mark.parametrize("name", ["", "x" * 111, "a b", "a\n", "<b>", "a;b", "名称。", "a\u202eb", "é", "{0}"])
def test_any_other_name_is_refused(name: str) -> None:
    """Also invisible characters and markup."""
    with pytest.raises(ValidationError):
        flow(name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"remark": "x" * 201},
        {"levels": ()},
        {"levels": (Level(nodes=NODES),) * 11},
        {"escalate_percent": 100},
        {"escalate_to": "root"},
        {"surprise": 1},
        {"task_type": "Kill It"},
    ],
    ids=str,
)
def test_what_is_beyond_a_limit_is_refused(wrong: dict[str, object]) -> None:
    """Remarks of 200 characters, one to ten levels, no key that means nothing."""
    with pytest.raises(ValidationError):
        Definition.model_validate(flow().model_dump() | wrong)


@pytest.mark.parametrize("minutes", [9, 240 * 60 + 1, 0, -1])
def test_a_validity_is_ten_minutes_to_240_hours(minutes: int) -> None:
    """24 hours unless said otherwise; there is no unlimited one."""
    assert Validity() == Validity(approval_minutes=1440, waiting_minutes=1440, execution_minutes=1440)
    for name in ("approval_minutes", "waiting_minutes", "execution_minutes"):
        assert Validity.model_validate({name: 240 * 60})
        with pytest.raises(ValidationError):
            Validity.model_validate({name: minutes})


@pytest.mark.parametrize(
    "approver", ["boss@project", "admin@moon", "admin", "user:", "group:a b", "auto@org", "admin@org "]
)
def test_an_approver_is_one_of_five_expressions(approver: str) -> None:
    """Roles of the project or everywhere, a group, a person, or by itself."""
    with pytest.raises(ValidationError):
        Node(approver=approver)


def test_a_range_is_not_backwards() -> None:
    """Nothing could be within."""
    with pytest.raises(ValidationError):
        Range(measure="rows", least=2, most=1)


async def test_only_types_that_are_marked_so_have_several_levels(bureau: Bureau) -> None:
    """As in ODC, where that is the database change."""
    two = (Level(nodes=NODES),) * 2
    assert len((await make(bureau, "changes", "database_change", levels=two)).levels) == 2
    with pytest.raises(BadInput):
        await make(bureau, "imports", "import", levels=two)


async def test_a_flow_fits_its_task_type(bureau: Bureau) -> None:
    """A type that exists, and only operations that it has."""
    with pytest.raises(BadInput):
        await make(bureau, "dances", "dance")
    with pytest.raises(BadInput):
        await make(bureau, "drops", "database_change", levels=(Level(operations=("truncate",), nodes=NODES),))
    with pytest.raises(BadInput):
        await make(bureau, "loop", escalate_to="auto")


async def test_a_name_is_taken_once(bureau: Bureau) -> None:
    """Creating, renaming and copying alike."""
    first, other = await make(bureau, "one"), await make(bureau, "two")
    root = bureau.person("root")
    with pytest.raises(BadInput):
        await make(bureau, "one", "import")
    with pytest.raises(BadInput):
        await bureau.flows.edit(root, other.id, flow("one"), version=1)
    with pytest.raises(BadInput):
        await bureau.flows.copy(root, first.id, "two")


async def test_a_list_is_filtered_by_every_column(bureau: Bureau) -> None:
    """And in the order of priority."""
    await make(bureau, "KillProd", scope=Scope(projects=("trade",)))
    await make(bureau, "killdev", enabled=False)
    await make(bureau, "changes", "database_change", levels=(Level(nodes=NODES),) * 3)
    assert await listed(bureau) == ["changes", "KillProd", "killdev"]
    assert await listed(bureau, name="kill") == ["KillProd", "killdev"]
    assert await listed(bureau, task_type="kill") == ["KillProd", "killdev"]
    assert await listed(bureau, levels=3) == ["changes"]
    assert await listed(bureau, enabled=False) == ["killdev"]
    assert await listed(bureau, creator="OO", enabled=True) == ["changes", "KillProd"]
    assert await listed(bureau, creator="ops") == []
    assert await listed(bureau, name="%") == []


async def test_a_page_says_how_many_there_are(bureau: Bureau) -> None:
    """For a list longer than a screen."""
    for number in range(5):
        await make(bureau, f"flow{number}")
    flows, total = await bureau.flows.listed(FlowFilter(limit=2, offset=2))
    assert ([one.name for one in flows], total) == (["flow2", "flow3"], 5)


async def test_every_save_makes_a_version_and_none_is_overwritten_unseen(bureau: Bureau) -> None:
    """Two administrators with the same form open: the second is told."""
    root = bureau.person("root")
    made = await make(bureau, "kills")
    edited = await bureau.flows.edit(root, made.id, flow("kills", remark="for the night"), version=1)
    assert (edited.version, edited.remark, edited.creator) == (2, "for the night", "root")
    with pytest.raises(Stale):
        await bureau.flows.edit(root, made.id, flow("kills", remark="for the day"), version=1)
    found = await bureau.flows.versions(made.id)
    assert [(one.version, one.definition.remark) for one in found] == [(2, "for the night"), (1, "")]
    with pytest.raises(BadInput):
        await bureau.flows.edit(root, made.id, flow("kills", "import"), version=2)


async def test_enabling_disabling_and_copying(bureau: Bureau) -> None:
    """Doing it twice is doing it once; a copy begins disabled."""
    root = bureau.person("root")
    made = await make(bureau, "kills", remark="as it was")
    for _ in range(2):
        assert (await bureau.flows.enable(root, made.id, enabled=False)).version == 2
    copied = await bureau.flows.copy(root, made.id, "kills2")
    assert (copied.enabled, copied.remark, copied.rank) == (False, "as it was", 2)


async def test_the_order_of_a_type_is_set_as_a_whole(bureau: Bureau) -> None:
    """Tickets take the first that covers them; an order that leaves one out or names a foreign one is refused."""
    first, second = await make(bureau, "first"), await make(bureau, "second")
    other = await make(bureau, "imports", "import")
    root = bureau.person("root")
    assert (await bureau.ask()).match.flow.name == "first"
    await bureau.flows.reorder(root, "kill", [second.id, first.id])
    assert await listed(bureau, task_type="kill") == ["second", "first"]
    assert (await bureau.ask()).match.flow.name == "second"
    for wrong in ([first.id], [first.id, second.id, other.id], [first.id, first.id], ["F-01", second.id]):
        with pytest.raises(Stale):
            await bureau.flows.reorder(root, "kill", wrong)


async def test_several_are_deleted_all_or_none(bureau: Bureau) -> None:
    """One with an open ticket keeps them all; what the trail says of them stays."""
    first, second = await make(bureau, "first"), await make(bureau, "second")
    ticket, root = await bureau.ask(), bureau.person("root")
    for wrong in ([first.id, second.id], ["F-01", second.id]):
        with pytest.raises(Stale):
            await bureau.flows.delete(root, wrong)
    with pytest.raises(NotFound):
        await bureau.flows.delete(root, [second.id, "F-99"])
    assert await listed(bureau) == ["first", "second"]
    await bureau.approvals.withdraw(bureau.says("asker", ticket))
    await bureau.flows.delete(root, [first.id, second.id, first.id])
    assert await listed(bureau) == []
    assert (await make(bureau, "third")).id == "F-3"
    assert await bureau.audit.verify() == 7


@pytest.mark.parametrize("name", ["ops", "asker", "nobody"])
async def test_only_administrators_change_anything(bureau: Bureau, name: str) -> None:
    """Every one of the ways."""
    made, person = await make(bureau, "kills"), bureau.person(name)
    attempts = (
        lambda: bureau.flows.create(person, flow("mine")),
        lambda: bureau.flows.edit(person, made.id, flow("kills"), version=1),
        lambda: bureau.flows.enable(person, made.id, enabled=False),
        lambda: bureau.flows.enable(person, made.id, enabled=True),
        lambda: bureau.flows.copy(person, made.id, "mine"),
        lambda: bureau.flows.delete(person, [made.id]),
        lambda: bureau.flows.reorder(person, "kill", [made.id]),
        lambda: bureau.flows.replace(person, [flow("mine")]),
    )
    for attempt in attempts:
        with pytest.raises(Denied):
            await attempt()
    assert (await bureau.flows.get(made.id)).version == 1


async def test_approvers_that_nobody_answers_to_are_named(bureau: Bureau) -> None:
    """A warning and no refusal: the group may be filled tomorrow."""
    made = await make(bureau, "kills", levels=(Level(nodes=(Node(approver="group:dbas"), Node(approver="group:dba"))),))
    assert unmanned(bureau.access, made) == ("group:dbas",)


names = st.from_regex(r"[0-9A-Za-z\u4e00-\u4fff]{1,20}", fullmatch=True)
nodes = st.builds(Node, approver=st.sampled_from(["auto", "admin@org", "group:dba"]), need=st.integers(1, 20))
levels = st.builds(Level, nodes=st.lists(nodes, min_size=1, max_size=3).map(tuple))
definitions = st.builds(
    Definition,
    name=names,
    task_type=st.just("kill"),
    remark=st.text(st.characters(exclude_categories=["C"]), max_size=200),
    levels=st.lists(levels, min_size=1, max_size=3).map(tuple),
    enabled=st.booleans(),
)


@given(st.lists(definitions, max_size=3).map(tuple))
def test_a_document_says_what_it_was_made_of(made: tuple[Definition, ...]) -> None:
    """Out and in again, whatever the remarks are."""
    assert load(dump(made)) == made


async def test_a_document_is_loaded_whole_or_not_at_all(bureau: Bureau) -> None:
    """New names are created, known ones edited; one that is wrong leaves everything as it was."""
    await make(bureau, "kills")
    root = bureau.person("root")
    text = dump((flow("kills", remark="now with words"), flow("imports", "import")))
    assert [one.version for one in await bureau.flows.replace(root, load(text))] == [2, 1]
    with pytest.raises(BadInput):
        await bureau.flows.replace(root, [flow("more"), flow("dances", "dance")])
    with pytest.raises(BadInput):
        await bureau.flows.replace(root, [flow("more"), flow("imports", "kill")])
    assert await listed(bureau) == ["imports", "kills"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flows: 1",
        "just words",
        "flows: [{name: a}]",
        "flows: []\nother: 1",
        "a: &a [x, x]\nflows: [*a, *a]",
        "!!python/object/apply:os.system ['true']",
        "flows: " + "[" * 5000,
        "flows: [\x00]",
        "x" * 1_000_001,
    ],
    ids=lambda text: text[:20].replace("\x00", "nul"),
)
def test_a_document_that_is_none_is_refused(text: str) -> None:
    """Code, bombs of aliases and brackets, other keys: said in one line, and nothing is run."""
    with pytest.raises(BadInput):
        load(text)


async def test_hostile_words_of_a_request_match_nothing_by_accident(bureau: Bureau) -> None:
    """A project named like a pattern or a statement is a name."""
    await make(bureau, "kills", scope=Scope(projects=("trade",)))
    for project in ("%", "trade' OR '1'='1", "*", "demo:trade\u202e", ""):
        assert (await bureau.flows.of_type("kill"))[0].name == "kills"
        with pytest.raises(Exception, match="no enabled flow"):
            await bureau.approvals.open(kill(project=project))
