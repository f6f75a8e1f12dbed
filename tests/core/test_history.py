"""A conversation is remembered once, in order, masked, and so that what cards showed can be pointed at."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from core.agent.answer import Answer
from core.agent.digest import LONGEST, digest
from core.agent.history import SUMMARIZED, WINDOW, History, turn
from core.agent.past import Item, focus, items
from core.messages import Conversation
from core.results import Choice, InstanceDetail, InstanceList, Missing, Notice, Result, TableReport
from core.schedulers.base import DataTable, Instance
from core.store import Store
from tests import strategies
from tests.core.test_fleet import NOON, instance

TALK = Conversation("web", "1")


def answer(*results: Result) -> Answer:
    """By the rules."""
    return Answer(results, (), (), "rules")


def listing(*instances: Instance) -> InstanceList:
    """Failed ones."""
    return InstanceList("failed", NOON.date(), NOON, instances, len(instances))


async def remember(store: Store, key: str, said: str, answer: Answer, conversation: Conversation = TALK) -> None:
    """One turn, in a transaction of its own."""
    await store.write(lambda connection: History(store).entry(connection, conversation, key, said, answer))


async def test_a_turn_is_kept_once_however_often_it_is_told(store: Store) -> None:
    history = History(store)
    for _ in range(3):
        await remember(store, "web:1", "哪些失败了", answer(listing(instance("demo", 1))))
    past = await history.recall(TALK)
    assert [turn.said for turn in past.turns] == ["哪些失败了"]
    assert "demo:i1" in past.turns[0].answered


async def test_a_turn_is_not_kept_when_the_transaction_fails(store: Store) -> None:
    """It is written with the event's outcome, or not at all."""
    history = History(store)

    def written_and_then_failing(connection: Connection) -> None:
        history.entry(connection, TALK, "web:1", "hi", answer(Notice("greeting")))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(written_and_then_failing)
    assert (await history.recall(TALK)).turns == ()


async def test_what_is_no_longer_read_is_deleted_and_other_conversations_stay(store: Store) -> None:
    elsewhere = replace(TALK, thread="t")
    await remember(store, "web:t", "elsewhere", answer(Notice("help")), elsewhere)
    for number in range(WINDOW + SUMMARIZED + 5):
        await remember(store, f"web:{number}", f"question {number}", answer(Notice("help")))
    kept = await store.read(
        lambda connection: connection.execute(select(turn.c.said).order_by(turn.c.number)).scalars().all()
    )
    assert kept == ["elsewhere", *(f"question {number}" for number in range(5, WINDOW + SUMMARIZED + 5))]


async def test_the_last_turns_are_whole_and_those_before_a_line_each(store: Store) -> None:
    history = History(store)
    for number in range(WINDOW + SUMMARIZED + 5):
        await remember(store, f"web:{number}", f"question {number}", answer(Notice("help")))
    past = await history.recall(TALK)
    newest = WINDOW + SUMMARIZED + 4
    assert [turn.said for turn in past.turns] == [f"question {n}" for n in range(newest - WINDOW + 1, newest + 1)]
    lines = past.summary.split("\n")
    assert len(lines) == SUMMARIZED
    assert lines[0].startswith("question 5 ")


async def test_conversations_and_threads_do_not_mix(store: Store) -> None:
    history = History(store)
    await remember(store, "web:1", "here", answer(Notice("help")))
    assert (await history.recall(replace(TALK, thread="t"))).turns == ()
    assert (await history.recall(replace(TALK, channel="feishu"))).turns == ()


async def test_secrets_are_masked_before_they_are_stored(store: Store) -> None:
    history = History(store)
    held = replace(instance("demo", 1), task=replace(instance("demo", 1).task, name="password=hunter2hunter2"))
    await remember(store, "web:1", "token=abcdefghijklmnop1234567890", answer(listing(held)))
    turn = (await history.recall(TALK)).turns[0]
    assert "abcdefghijklmnop" not in turn.said
    assert "hunter2" not in turn.answered


async def test_what_a_card_asked_back_is_remembered_with_its_command(store: Store) -> None:
    history = History(store)
    choice = Choice(
        "task", "orders", (("demo:a", "orders · trade"), ("demo:b", "orders · finance")), "log", {"run": "2"}
    )
    await remember(store, "web:1", "看 orders 的日志", answer(choice))
    turn = (await history.recall(TALK)).turns[0]
    assert (turn.again, turn.arguments) == ("log", {"run": "2"})
    assert [item.ref for item in turn.items] == ["demo:a", "demo:b"]


def test_a_list_of_one_is_what_the_talk_is_about_and_a_list_of_two_is_not() -> None:
    one, two = instance("demo", 1), instance("demo", 2)
    assert focus((listing(one),)) == (Item("instance", "demo:i1", "load_orders_1"),)
    assert focus((listing(one, two),)) == ()
    assert [item.ref for item in items((listing(one, two),))] == ["demo:i1", "demo:i2"]


def test_two_answers_about_two_things_are_a_list_of_them() -> None:
    details = tuple(InstanceDetail(instance("demo", n), NOON) for n in (1, 2))
    assert focus(details) == ()
    assert [item.ref for item in items(details)] == ["demo:i1", "demo:i2"]


def test_the_nearest_names_can_be_picked() -> None:
    missing = Missing("table", "ordres", ("orders",), command="table")
    assert items((missing,)) == (Item("table", "orders", "orders"),)


@given(st.one_of(*(strategies.of(kind) for kind in Result.__args__)))
def test_any_result_has_a_digest_of_bounded_length_without_control_characters(result: Result) -> None:
    told = digest(result)
    assert told
    assert len(told) <= LONGEST
    assert not set(told) & {"\x00", "\x1b", "\u202e", "\u200b"}


def test_a_digest_gives_the_references_that_tools_take() -> None:
    told = digest(listing(instance("demo", 1), instance("demo", 2)))
    assert "1. demo:i1 load_orders_1" in told
    assert "2. demo:i2 load_orders_2" in told


def test_tables_are_remembered_by_reference() -> None:
    report = TableReport(DataTable("demo", "orders"), "unknown", NOON.date(), NOON)
    assert focus((report,)) == (Item("table", "demo:orders", "orders"),)
