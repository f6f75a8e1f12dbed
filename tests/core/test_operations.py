"""The table of operations: whole, in agreement with the catalogues, and right about what a state allows and proves."""

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from core import downstream
from core.cards import buttons
from core.drift import FACETS, drift
from core.i18n import LANGUAGES, words
from core.operations import RULES, broken, ended, frozen, run_sign
from core.results import InstanceDetail, Member, Scope
from core.schedulers.base import Flags, Instance, Operation, Status
from core.settings import PersonSettings
from core.views import show
from tests.fakes.desk import ADMIN, ran
from tests.strategies import of

FAILED = ran("orders", Status.FAILED)


def test_every_operation_has_a_row_and_words_in_every_language() -> None:
    assert set(RULES) == set(Operation)
    for language in LANGUAGES:
        for operation, rule in RULES.items():
            assert all(words(language)(f"operations.{operation}.{part}") for part in ("name", "effect", "risk"))
            assert words(language)(f"operations.level.{rule.risk}")


def test_what_is_risky_needs_more_than_an_operator() -> None:
    """The riskier ones lose data or work; of those an operator may only rerun with what is downstream."""
    high = {operation for operation, rule in RULES.items() if rule.risk == "high"}
    needs_more = {operation for operation, rule in RULES.items() if rule.role != "operator"}
    assert high - needs_more == {Operation.RERUN_DOWNSTREAM}
    assert {PersonSettings(name="x", role=rule.role).role for rule in RULES.values()} == {"operator", "ops_admin"}


@pytest.mark.parametrize("operation", list(Operation))
@given(instance=of(Instance))
def test_cards_offer_nothing_that_the_state_does_not_allow(operation: Operation, instance: Instance) -> None:
    rule = RULES[operation]
    assert rule.fits(instance) or not rule.offered(instance)


@given(instance=of(Instance))
def test_what_is_frozen_is_unfrozen_before_anything_else(instance: Instance) -> None:
    if instance.flags.frozen:
        assert {operation for operation, rule in RULES.items() if rule.offered(instance)} == {Operation.UNFREEZE}


@pytest.mark.parametrize(
    ("status", "run_number", "sign"),
    [
        (Status.FAILED, 1, "none"),
        (Status.WAIT_RESOURCE, 1, "under_way"),
        (Status.RUNNING, 2, "under_way"),
        (Status.SUCCESS, 2, "succeeded"),
        (Status.FAILED, 2, "failed"),
        (Status.SUCCESS, 3, "succeeded"),
    ],
)
def test_a_rerun_is_proven_by_a_later_run(status: Status, run_number: int, sign: str) -> None:
    """An old success proves nothing; a run that somebody began after ours proves as much as ours."""
    assert run_sign(FAILED, replace(FAILED, status=status, run_number=run_number), 2) == sign


@pytest.mark.parametrize("operation", [Operation.FREEZE, Operation.UNFREEZE])
@pytest.mark.parametrize("of_task", [True, False])
def test_freezing_is_proven_by_the_instance_or_by_its_task(operation: Operation, of_task: bool) -> None:
    """Where whole tasks are frozen, an instance that has ended shows nothing: its task does."""
    thawed = FAILED
    cold = (
        replace(FAILED, task=replace(FAILED.task, flags=Flags(frozen=True)))
        if of_task
        else replace(FAILED, flags=Flags(frozen=True))
    )
    before, after = (thawed, cold) if operation is Operation.FREEZE else (cold, thawed)
    rule = RULES[operation]
    assert rule.fits(before)
    assert not rule.fits(after)
    assert rule.sign(before, before, 0) == "none"
    assert rule.sign(before, after, 0) == "succeeded"


def test_each_facet_that_differs_is_named_and_nothing_else() -> None:
    task = FAILED.task
    changed = {
        "status": replace(FAILED, status=Status.SUCCESS),
        "run": replace(FAILED, run_number=2),
        "flags": replace(FAILED, flags=Flags(frozen=True)),
        "owner": replace(FAILED, task=replace(task, owners=("bob",))),
        "project": replace(FAILED, task=replace(task, project="finance")),
        "definition": replace(FAILED, task=replace(task, outputs=("elsewhere",))),
    }
    assert set(changed) == set(FACETS)
    for name, now in changed.items():
        assert drift(FAILED, now) == (name,)
    assert drift(FAILED, replace(FAILED, url="https://moved", note="news")) == ()


def test_a_backfill_minds_the_task_and_not_the_state_of_one_day() -> None:
    minds = RULES[Operation.BACKFILL].minds
    assert drift(FAILED, replace(FAILED, status=Status.RUNNING, run_number=9), minds) == ()
    assert drift(FAILED, replace(FAILED, task=replace(FAILED.task, kind="shell")), minds) == ("definition",)


@given(instance=of(Instance))
def test_a_scope_holds_only_what_could_run_again(instance: Instance) -> None:
    """And the narrower ones are parts of the wider."""
    chosen = {name for name, fits in downstream.SCOPES.items() if fits(instance)}
    assert chosen in ({"all", "failed", "unsuccessful"}, {"all", "unsuccessful"}, {"all"}, set[str]())
    assert not chosen or (ended(instance) and not instance.flags.frozen)
    assert ("failed" in chosen) == broken(instance)


def test_a_choice_is_named_by_the_widest_scope_that_it_is() -> None:
    below = (Member(ran("board")), Member(ran("chart", Status.FAILED)), Member(ran("export", Status.WAIT_TIME)))
    meant: dict[Scope, set[str]] = {"all": {"board", "chart"}, "failed": {"chart"}, "none": set()}
    for scope, names in meant.items():
        picked = downstream.choose(below, scope)
        assert {member.instance.task.name for member in picked if member.chosen} == names
        assert downstream.scope(picked) == scope
    assert downstream.scope(downstream.choose(below, "unsuccessful")) == "failed", "here they are the same"
    assert downstream.scope((replace(below[0], chosen=True), replace(below[1], chosen=False))) is None


def test_a_frozen_flag_of_the_task_counts() -> None:
    assert not frozen(FAILED)
    assert frozen(replace(FAILED, task=replace(FAILED.task, flags=Flags(frozen=True))))


def test_a_card_offers_only_what_the_scheduler_can_do() -> None:
    """Whatever the person may do and the state allows."""
    now = FAILED.scheduled_at
    assert now
    detail = InstanceDetail(FAILED, now)
    able: dict[str, frozenset[Operation]] = {"demo": frozenset({Operation.SET_SUCCESS}), "other": frozenset(Operation)}

    def offered(operations: Mapping[str, frozenset[Operation]]) -> set[str]:
        card = show(detail, words("en"), ZoneInfo("Asia/Shanghai"), ADMIN, operations)
        return {button.arguments["operation"] for button in buttons(card) if button.command == "propose"}

    assert offered(able) == {"set_success"}
    assert offered({"demo": frozenset()}) == set()
    assert offered({}) == {"rerun", "rerun_downstream", "set_success"}
