"""What every `Scheduler` promises (core/schedulers/base.py), as tests that run over any implementation.

An implementation's suite subclasses `SchedulerContract` and gives a fixture `subject`, fresh for each test:

    class TestAirflow(SchedulerContract):
        @pytest.fixture
        async def subject(self, …) -> AsyncIterator[Subject]: …
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import NotFound, Refused
from core.i18n import LANGUAGES, words
from core.schedulers.base import (
    Capability,
    Instance,
    InstanceQuery,
    Operation,
    Order,
    RunType,
    Status,
)
from tests.contracts.offers import OffersContract
from tests.contracts.subject import Subject

HOSTILE = (
    "no-such-thing",
    "' OR 1=1; --",
    '"',
    "%",
    "%2e%2e%2fetc",
    "../../etc/passwd",
    "a/../../b?c=d#e",
    "{0.__class__}",
    "${jndi:x}",
    "line\nbreak\tand\x00nul",
    "--no-preserve-root",
    "查" * 10_000,
)
"""Names that are nobody's, and that break whoever splices them into SQL, a path, a pattern or a format."""


class SchedulerContract(OffersContract):
    """The suite. Subclasses give the fixture `subject`."""

    async def test_it_says_who_it_is_and_what_it_can_do(self, subject: Subject) -> None:
        scheduler = subject.scheduler
        assert scheduler.name
        assert not set(":/") & set(scheduler.name)
        assert scheduler.zone.key
        assert all(isinstance(capability, Capability) for capability in scheduler.capabilities)
        assert all(isinstance(operation, Operation) for operation in scheduler.operations)

    async def test_what_its_operations_do_besides_is_said_in_every_language(self, subject: Subject) -> None:
        scheduler = subject.scheduler
        assert set(scheduler.effects) <= scheduler.operations
        for effect in {effect for effects in scheduler.effects.values() for effect in effects}:
            assert len({words(language)(f"operations.beside.{effect}") for language in LANGUAGES}) == len(LANGUAGES)

    async def test_health_has_nothing_to_complain_about(self, subject: Subject) -> None:
        health = await subject.scheduler.health()
        assert health.problems == ()
        assert health.version
        assert health.seconds >= 0

    async def test_projects_are_distinct_and_hold_the_instances(self, subject: Subject) -> None:
        projects = await subject.scheduler.projects()
        assert len(set(projects)) == len(projects)
        assert (await subject.scheduler.instance(subject.failed)).task.project in projects

    async def test_an_instance_is_itself_whichever_way_it_is_asked_for(self, subject: Subject) -> None:
        one = await subject.scheduler.instance(subject.failed)
        assert one.id == subject.failed
        name, _, id_ = one.ref.partition(":")
        assert name == subject.scheduler.name == one.task.scheduler
        assert await subject.scheduler.instance(id_) == one
        page = await subject.scheduler.instances(InstanceQuery(day=subject.day(one), task=one.task.id, limit=1000))
        assert one in page.items

    async def test_a_failure_and_a_success_are_told_apart(self, subject: Subject) -> None:
        failed = await subject.scheduler.instance(subject.failed)
        succeeded = await subject.scheduler.instance(subject.succeeded)
        assert failed.status.failed
        assert succeeded.status.succeeded
        assert min(failed.run_number, succeeded.run_number) >= 1
        assert failed.raw_status
        assert failed.raw_status != succeeded.raw_status

    async def test_ids_are_strings_and_times_have_zones(self, subject: Subject) -> None:
        page = await subject.scheduler.instances(await subject.whole_day())
        assert page.as_of.tzinfo is not None
        for one in page.items:
            assert isinstance(one.id, str)
            assert isinstance(one.task.id, str)
            times = (one.scheduled_at, one.started_at, one.finished_at, one.waiting_since)
            assert all(time.tzinfo is not None for time in times if time is not None)
            assert one.seconds is None or one.seconds >= 0

    async def test_pages_add_up_to_the_total_without_repeating(self, subject: Subject) -> None:
        query = await subject.whole_day()
        whole = await subject.scheduler.instances(query)
        size = max(1, -(-whole.total // 3))
        pages = [
            await subject.scheduler.instances(replace(query, limit=size, offset=offset))
            for offset in range(0, whole.total, size)
        ]
        assert {page.total for page in pages} == {whole.total}
        ids = [one.id for page in pages for one in page.items]
        assert len(ids) == len(set(ids)) == whole.total

    async def test_a_page_past_the_end_is_empty_and_still_knows_the_total(self, subject: Subject) -> None:
        query = await subject.whole_day()
        whole = await subject.scheduler.instances(query)
        beyond = await subject.scheduler.instances(replace(query, offset=whole.total))
        assert (beyond.items, beyond.total) == ((), whole.total)

    async def test_the_most_recently_due_come_first(self, subject: Subject) -> None:
        page = await subject.scheduler.instances(await subject.whole_day())
        due = [one.scheduled_at for one in page.items if one.scheduled_at]
        assert due == sorted(due, reverse=True)

    async def test_counts_are_the_instances_grouped(self, subject: Subject) -> None:
        query = await subject.whole_day()
        page = await subject.scheduler.instances(query)
        assert page.total == len(page.items), "give the contract a day of at most 1000 instances"
        counts = await subject.scheduler.counts(replace(query, limit=1, offset=1))
        assert {status: n for status, n in counts.items() if n} == Counter(one.status for one in page.items)

    async def test_a_status_filter_lets_only_these_through(self, subject: Subject) -> None:
        query = replace(await subject.whole_day(), statuses=frozenset({Status.FAILED}))
        page = await subject.scheduler.instances(query)
        assert {one.status for one in page.items} == {Status.FAILED}
        assert await subject.scheduler.counts(query) == {Status.FAILED: page.total}

    async def test_a_day_begins_and_ends_in_the_schedulers_zone(self, subject: Subject) -> None:
        query = await subject.whole_day()
        assert query.day
        for day in (query.day, query.day - timedelta(days=1)):
            page = await subject.scheduler.instances(replace(query, day=day))
            assert {subject.day(one) for one in page.items} <= {day}

    async def test_filters_by_project_owner_task_and_name_hold(self, subject: Subject) -> None:
        failed = await subject.scheduler.instance(subject.failed)
        task = failed.task
        query = await subject.whole_day()
        narrowed = {
            "projects": replace(query, projects=frozenset({task.project})),
            "task": replace(query, task=task.id),
            "name": replace(query, name=task.name[1:].upper()),
        } | ({"owner": replace(query, owner=task.owner)} if task.owner else {})
        holds: dict[str, Callable[[Instance], bool]] = {
            "projects": lambda one: one.task.project == task.project,
            "task": lambda one: one.task.id == task.id,
            "name": lambda one: task.name[1:].upper() in one.task.name.upper(),
            "owner": lambda one: task.owner in one.task.owners,
        }
        for what, one_query in narrowed.items():
            page = await subject.scheduler.instances(one_query)
            assert failed in page.items, what
            assert all(holds[what](one) for one in page.items), what

    async def test_only_scheduled_runs_are_listed_unless_asked(self, subject: Subject) -> None:
        page = await subject.scheduler.instances(InstanceQuery(limit=1000))
        assert {one.run_type for one in page.items} == {RunType.NORMAL}

    async def test_history_is_the_tasks_own_newest_first(self, subject: Subject) -> None:
        task = (await subject.scheduler.instance(subject.failed)).task
        history = await subject.scheduler.history(task.id, limit=5)
        assert 1 <= len(history) <= 5
        assert {one.task.id for one in history} == {task.id}
        due = [one.scheduled_at for one in history if one.scheduled_at]
        assert due == sorted(due, reverse=True)
        assert len({one.id for one in history}) == len(history)

    async def test_an_exact_task_name_comes_alone_and_a_part_finds_it(self, subject: Subject) -> None:
        exact = await subject.scheduler.tasks(subject.task)
        assert [task.name for task in exact] == [subject.task]
        assert exact[0].ref == f"{subject.scheduler.name}:{exact[0].id}"
        assert exact[0] in await subject.scheduler.tasks(exact[0].id)
        assert exact[0] in await subject.scheduler.tasks(subject.task[:-1], limit=100)

    async def test_a_slip_in_a_task_name_still_finds_it(self, subject: Subject) -> None:
        middle = len(subject.task) // 2
        slip = subject.task[:middle] + subject.task[middle + 1 :]
        assert subject.task in {task.name for task in await subject.scheduler.tasks(slip)}

    async def test_no_more_tasks_than_asked_for(self, subject: Subject) -> None:
        assert len(await subject.scheduler.tasks(subject.task[:2], limit=1)) <= 1

    @pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
    async def test_nobodys_names_are_not_found_and_break_nothing(self, subject: Subject, name: str) -> None:
        scheduler = subject.scheduler
        order = Order(Operation.RERUN, name, "contract", "request-hostile")
        for look in (
            scheduler.instance(name),
            scheduler.history(name),
            scheduler.log(name),
            scheduler.upstream(name),
            scheduler.downstream(name),
            scheduler.constraints(name),
            scheduler.operate(order),
        ):
            with pytest.raises(NotFound):
                await look
        assert await scheduler.tasks(name) == ()
        assert await scheduler.tables(name) == ()
        for query in (
            InstanceQuery(name=name),
            InstanceQuery(task=name),
            InstanceQuery(owner=name),
            InstanceQuery(projects=frozenset({name})),
        ):
            page = await scheduler.instances(query)
            assert (page.items, page.total) == ((), 0)

    async def test_a_log_is_given_from_its_end_with_numbered_lines(self, subject: Subject) -> None:
        one = await subject.scheduler.instance(subject.failed)
        page = await subject.scheduler.log(subject.failed)
        assert page.lines
        assert page.run_number == one.run_number
        assert not page.running
        assert page.total == page.first - 1 + len(page.lines)
        assert not any("\n" in line for line in page.lines)
        tail = await subject.scheduler.log(subject.failed, tail=2)
        assert tail.lines == page.lines[-2:]
        assert tail.first == tail.total - len(tail.lines) + 1
        assert tail.total == page.total

    async def test_a_log_can_be_asked_for_by_run_and_a_run_that_never_was_has_none(self, subject: Subject) -> None:
        latest = await subject.scheduler.log(subject.failed)
        assert await subject.scheduler.log(subject.failed, run_number=latest.run_number) == latest
        try:
            never = await subject.scheduler.log(subject.failed, run_number=latest.run_number + 90)
        except NotFound:
            return
        assert never.lines == ()

    async def test_lineage_is_the_same_seen_from_either_end(self, subject: Subject) -> None:
        scheduler = subject.scheduler
        above = await scheduler.upstream(subject.failed)
        below = await scheduler.downstream(subject.failed)
        assert above or below
        for related in above:
            assert subject.failed in {one.instance.id for one in await scheduler.downstream(related.instance.id)}
        for related in below:
            assert subject.failed in {one.instance.id for one in await scheduler.upstream(related.instance.id)}

    async def test_lineage_comes_nearest_first_and_deeper_holds_the_nearer(self, subject: Subject) -> None:
        for walk in (subject.scheduler.upstream, subject.scheduler.downstream):
            near = await walk(subject.failed)
            far = await walk(subject.failed, depth=3)
            assert {related.distance for related in near} <= {1}
            assert [related.distance for related in far] == sorted(related.distance for related in far)
            assert {related.instance.id for related in near} <= {related.instance.id for related in far}
            assert subject.failed not in {related.instance.id for related in far}
            assert len({related.instance.id for related in far}) == len(far) <= 500

    async def test_an_exact_table_comes_alone_with_its_producers_and_real_updates(self, subject: Subject) -> None:
        tables = await subject.scheduler.tables(subject.table)
        assert [table.name for table in tables] == [subject.table]
        table = tables[0]
        assert table.scheduler == subject.scheduler.name
        assert all(subject.table in task.outputs for task in table.producers)
        assert table.updates
        moments = [update.at for update in table.updates]
        assert moments == sorted(moments, reverse=True)
        assert all(moment.tzinfo is not None for moment in moments)

    async def test_what_wrote_nothing_did_not_update_a_table(self, subject: Subject) -> None:
        (table,) = await subject.scheduler.tables(subject.table)
        writers = [update.instance for update in table.updates if update.instance]
        assert writers
        for ref in writers:
            writer = await subject.scheduler.instance(ref.partition(":")[2])
            assert writer.status.succeeded
            assert not writer.flags.wrote_nothing

    async def test_a_finished_instance_is_held_back_by_nobody(self, subject: Subject) -> None:
        constraints = await subject.scheduler.constraints(subject.succeeded)
        assert constraints.resource_group == ""
        assert constraints.throttled_by == ()

    async def test_a_rerun_raises_the_run_number_and_ends(self, subject: Subject) -> None:
        before = await subject.scheduler.instance(subject.failed)
        receipt = await subject.scheduler.operate(subject.order(Operation.RERUN, subject.failed))
        assert receipt.instances[0] == subject.failed
        assert receipt.run_number > before.run_number
        after = await subject.ended(subject.failed, receipt.run_number)
        assert after.id == subject.failed
        assert after.status.finished
        assert after.run_number == receipt.run_number
        assert before.finished_at
        assert after.finished_at
        assert after.finished_at > before.finished_at

    async def test_a_rerun_with_downstream_runs_exactly_what_was_chosen(self, subject: Subject) -> None:
        scheduler = subject.scheduler
        below = await scheduler.downstream(subject.failed, depth=3)
        ended = [one.instance.id for one in below if one.instance.status.finished and not one.by_itself]
        for chosen in ((), tuple(ended)):
            order = replace(subject.order(Operation.RERUN_DOWNSTREAM, subject.failed), instances=chosen)
            receipt = await scheduler.operate(replace(order, request_id=f"{order.request_id}-{len(chosen)}"))
            assert receipt.instances[0] == subject.failed
            assert set(receipt.instances[1:]) == set(chosen)
            await subject.ended(subject.failed, receipt.run_number)

    async def test_the_log_of_the_earlier_run_stays(self, subject: Subject) -> None:
        before = await subject.scheduler.log(subject.failed)
        receipt = await subject.scheduler.operate(subject.order(Operation.RERUN, subject.failed))
        await subject.ended(subject.failed, receipt.run_number)
        assert await subject.scheduler.log(subject.failed, run_number=before.run_number) == before
        assert (await subject.scheduler.log(subject.failed)).run_number == receipt.run_number

    async def test_what_has_ended_cannot_be_killed(self, subject: Subject) -> None:
        with pytest.raises(Refused):
            await subject.scheduler.operate(subject.order(Operation.KILL, subject.succeeded))
        assert (await subject.scheduler.instance(subject.succeeded)).status.succeeded

    async def test_many_may_ask_at_once(self, subject: Subject) -> None:
        scheduler = subject.scheduler
        asked = await asyncio.gather(*(scheduler.instance(subject.failed) for _ in range(10)))
        logs = await asyncio.gather(*(scheduler.log(subject.failed, tail=5) for _ in range(10)))
        assert len(set(asked)) == len(set(logs)) == 1

    async def test_what_happened_before_comes_newest_first_and_only_where_it_can_be_told(
        self, subject: Subject
    ) -> None:
        """Changes since a moment, and promises at stake; a scheduler without the capability knows of none."""
        scheduler = subject.scheduler
        failed = await scheduler.instance(subject.failed)
        assert failed.scheduled_at
        since = failed.scheduled_at - timedelta(days=7)
        changes = await scheduler.changes(failed.task.id, since)
        assert list(changes) == sorted(changes, key=lambda change: change.at, reverse=True)
        assert all(change.at >= since and change.what for change in changes)
        promises = await scheduler.baselines(subject.failed)
        assert all(promise.name and promise.promised_at.tzinfo for promise in promises)
        assert not changes or Capability.CHANGES in scheduler.capabilities
        assert not promises or Capability.BASELINES in scheduler.capabilities

    async def test_closing_twice_is_closing_once(self, subject: Subject) -> None:
        await subject.scheduler.close()
        await subject.scheduler.close()
