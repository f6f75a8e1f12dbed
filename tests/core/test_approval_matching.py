"""Which flow and level decide about a request: by rank, then the highest level, and the worst where something is unknown."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approvals.flows import builtin
from core.approvals.matching import classify, exactness, match
from core.approvals.model import Flow, Level, Node, Range, Request, Scope
from tests.fakes.approvals import kill

AT = datetime(2026, 11, 22, tzinfo=UTC)
NODES = (Node(approver="ops_admin@project"),)


def flow(id: str = "F-1", *levels: Level, rank: int = 1, **more: object) -> Flow:
    """An enabled flow for kills."""
    base = builtin("kill", AT).model_dump()
    return Flow.model_validate(base | {"id": id, "rank": rank, "levels": levels or (Level(nodes=NODES),), **more})


def level(**conditions: object) -> Level:
    """A level with these conditions."""
    return Level.model_validate({"nodes": NODES, **conditions})


def chosen(flows: list[Flow], request: Request) -> str:
    """Id of the flow that decides; empty when none does."""
    found = match(flows, request)
    return found.flow.id if found else ""


def test_the_first_by_rank_that_covers_the_target_decides() -> None:
    """ODC: tasks are matched in the order the administrator set."""
    other = flow("F-1", rank=1, scope=Scope(projects=("finance",)))
    second, third = flow("F-2", rank=2), flow("F-3", rank=3)
    assert chosen([third, second, other], kill()) == "F-2"
    assert chosen([third, second, other], kill(project="finance")) == "F-1"


def test_of_one_rank_the_one_that_names_the_target_most_exactly_decides() -> None:
    """A tie, which two replicas can make, is broken the same way everywhere."""
    everything, project = flow("F-1"), flow("F-2", scope=Scope(projects=("demo:trade",)))
    scheduler = flow("F-3", scope=Scope(schedulers=("demo",)))
    assert chosen([everything, project, scheduler], kill()) == "F-3"
    assert chosen([everything, project], kill()) == "F-2"


def test_a_disabled_flow_and_one_of_another_type_decide_nothing() -> None:
    """Neither is ever taken for want of a better."""
    assert chosen([flow(enabled=False), flow("F-2", task_type="rerun")], kill()) == ""


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), 0),
        (Scope(projects=("trade",)), 1),
        (Scope(projects=("demo:trade",)), 1),
        (Scope(projects=("other:trade",)), None),
        (Scope(environments=("prod",)), 2),
        (Scope(schedulers=("demo",), projects=("finance",)), 3),
        (Scope(schedulers=("other",)), None),
    ],
)
def test_a_scope_covers_what_it_names(scope: Scope, expected: int | None) -> None:
    """Some or all: an empty scope is for everything, any named entry is enough."""
    assert exactness(scope, kill(environment="prod")) == expected


LEVELS = (
    level(ranges=(Range(measure="instances", most=5),)),
    level(ranges=(Range(measure="instances", least=6, most=50),)),
    level(ranges=(Range(measure="instances", least=51),)),
)


@pytest.mark.parametrize(("instances", "expected"), [(0, 1), (5, 1), (6, 2), (50, 2), (51, 3), (10**9, 3)])
def test_a_range_includes_both_its_ends(instances: int, expected: int) -> None:
    """Nothing falls between two levels."""
    found = classify(flow("F-1", *LEVELS), kill(facts={"instances": instances}))
    assert (found.level, found.reason) == (expected, "fits")


@pytest.mark.parametrize(
    ("request_", "reason", "fact"),
    [
        (kill(facts={}), "unknown", "instances"),
        (kill(facts={"rows": 1}), "unknown", "instances"),
    ],
)
def test_what_is_not_known_counts_as_the_worst(request_: Request, reason: str, fact: str) -> None:
    """A missing fact leads to the highest level, and the ticket says which."""
    found = classify(flow("F-1", *LEVELS), request_)
    assert (found.level, found.reason, found.fact) == (3, reason, fact)


def test_the_worst_statement_decides() -> None:
    """An update that also drops is a drop."""
    change = flow("F-1", level(operations=("update",)), level(operations=("drop",)), level(operations=("alter",)))
    found = classify(change, kill(operations=("update", "drop")))
    assert (found.level, found.reason, found.fact) == (2, "fits", "drop")


def test_a_statement_that_fits_no_level_counts_as_the_worst() -> None:
    """Levels with a gap between them let nothing slip through."""
    change = flow("F-1", level(operations=("update",)), level(operations=("drop",)))
    found = classify(change, kill(operations=("update", "grant")))
    assert (found.level, found.reason, found.fact) == (2, "none", "grant")


def test_an_unknown_environment_counts_as_the_worst() -> None:
    """Where a level asks for it."""
    change = flow("F-1", level(environments=("dev",)), level(environments=("prod",)))
    assert classify(change, kill(environment="dev")).level == 1
    assert classify(change, kill()).level == 2


counts = st.integers(0, 100)
ranges = st.tuples(counts, counts).map(lambda ends: Range(measure="instances", least=min(ends), most=max(ends)))
levels = st.lists(ranges.map(lambda one: level(ranges=(one,))), min_size=1, max_size=10)


@given(levels, counts, counts)
def test_touching_more_kinds_never_lowers_the_level(found: list[Level], one: int, other: int) -> None:
    """Whatever the levels are, the level is one of them, and knowing less never lowers it."""
    whole = flow("F-1", *found)
    known = classify(whole, kill(facts={"instances": one})).level
    assert 1 <= known <= len(found)
    assert classify(whole, kill(facts={})).level == len(found) >= known
