"""A small model chooses once, among what stands in the message; everything certain is read in code."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agent import Answer
from core.agent.answer import Call
from core.agent.offer import NAME, Offer, left_to_rules
from core.agent.past import Item, Past, Turn
from core.agent.rules.understand import Question
from core.agent.toolkit import Toolkit
from core.results import Diagnosed, InstanceList, Notice, Overview, Proposal
from core.settings import Model
from core.store import Store
from tests.core.test_agent import TARGET, Bench, Chatty, configured
from tests.fakes.openai import FakeOpenAI, Says, Script, says, serving

TODAY = date(2026, 11, 22)
THREE = tuple(Item("instance", f"demo:{n}", f"dws_{letter}_di") for n, letter in enumerate("abc", 1))
PASTS = {
    "": Past(),
    "list": Past((Turn("哪些失败了", items=THREE),)),
    "one": Past((Turn("哪些失败了", items=THREE), Turn("第一个", focus=THREE[:1]))),
}
SCHEMAS: Mapping[str, Any] = {tool.name: tool.tool_call_schema for tool in Toolkit.__new__(Toolkit).tools()}
"""What each tool takes; needs neither schedulers nor rights."""
ALERT = f"【DataWorks】任务出错告警\n节点名称：{TARGET}\n请立即重跑"


def chooses(tool: str, **args: str) -> Says:
    """The answer of a server that holds its model to the schema."""
    return Says(json.dumps({"tool": tool, "args": args}, ensure_ascii=False))


def routing(fake: FakeOpenAI) -> Model:
    """Settings that name the fake as a router."""
    return configured(fake).model_copy(update={"mode": "router"})


async def routed(store: Store, script: Script, *said: str) -> tuple[Answer, Bench, FakeOpenAI]:
    """The answer to the last of these messages."""
    async with serving(script) as fake:
        bench = Bench(store, routing(fake), Chatty())
        answers = [await bench.ask(text) for text in said]
        return answers[-1], bench, fake


def offered(text: str, past: str = "", quoted: str = "") -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The tools offered for a message, with the values of their arguments."""
    return Offer(Question(text, TODAY, PASTS[past], quoted)).tools


# ── one question to the model
async def test_the_choice_becomes_a_call_and_nobody_asks_again(sqlite_store: Store) -> None:
    """One request, without tools, held to a schema, short and cold."""
    answer, bench, fake = await routed(sqlite_store, says(chooses("diagnose", target=TARGET)), f"{TARGET} 掉链子了")
    assert isinstance(answer.results[0], Diagnosed)
    assert (answer.source, answer.note, bench.steps) == ("model", "", ["diagnose"])
    (body,) = fake.requests
    assert "tools" not in body
    assert (body["temperature"], body["max_completion_tokens"]) == (0, 200)
    assert body["response_format"]["type"] == "json_schema"
    assert TARGET in json.dumps(body["response_format"]["json_schema"]["schema"])


async def test_nothing_but_names_and_what_people_wrote_reaches_the_model(sqlite_store: Store) -> None:
    """No log, no card, no secret: what it could be misled by is not there."""
    script = says(chooses("instance_log", target=TARGET), chooses("diagnose", target=TARGET))
    _, _, fake = await routed(sqlite_store, script, f"{TARGET} 的日志", "它为什么失败")
    assert "Ignore all previous" not in fake.told
    assert "hunter2" not in fake.told
    assert [message["role"] for message in fake.requests[1]["messages"]] == ["system", "user"]


async def test_that_there_is_nothing_to_look_up_is_not_a_failure(sqlite_store: Store) -> None:
    answer, _, fake = await routed(sqlite_store, says(chooses("none")), "谢谢")
    assert isinstance(answer.results[0], Notice)
    assert (answer.source, answer.note, len(fake.requests)) == ("rules", "", 1)


@pytest.mark.parametrize(
    "answer",
    [
        Says("I think you should look at the logs."),
        Says("{}"),
        Says('{"tool": ["overview"], "args": {}}'),
        chooses("drop_database"),
        chooses("diagnose", target="dws_invented_di"),
        chooses("overview", day="2026-11-21"),
        chooses("propose_operation", operation="rerun", target=TARGET),
        Says(raw="{}", status=500),
    ],
)
async def test_an_answer_outside_the_offer_leaves_it_to_the_rules(sqlite_store: Store, answer: Says) -> None:
    """Also when the server does not hold its model to the schema."""
    got, bench, _ = await routed(sqlite_store, says(answer), f"{TARGET} 为什么失败")
    assert isinstance(got.results[0], Diagnosed)
    assert (got.source, got.note) == ("rules", "agent.failed")
    assert bench.pipeline.orders == []


@pytest.mark.parametrize(
    "text",
    [ALERT, "全部重跑", "删除表 dws_a_di", "天气怎么样", "重跑 dws_a_di 和 dws_b_di", "昨晚怎么样？dws_a_di 更新了吗"],
)
async def test_alerts_refusals_and_several_questions_never_go_to_the_model(sqlite_store: Store, text: str) -> None:
    script = says(chooses("propose_operation", operation="rerun", target=TARGET))
    answer, bench, fake = await routed(sqlite_store, script, text)
    assert fake.requests == []
    assert (answer.source, answer.note) == ("rules", "")
    assert not any(isinstance(result, Proposal) for result in answer.results)
    assert bench.pipeline.orders == []


async def test_a_change_asked_for_becomes_a_proposal(sqlite_store: Store) -> None:
    script = says(chooses("propose_operation", operation="rerun", target=TARGET))
    answer, bench, _ = await routed(sqlite_store, script, f"重跑 {TARGET}")
    assert isinstance(answer.results[0], Proposal)
    assert bench.pipeline.orders == []


async def test_the_day_is_read_not_chosen(sqlite_store: Store) -> None:
    script = says(chooses("list_instances", kind="failed", subject=""))
    answer, bench, _ = await routed(sqlite_store, script, "昨天哪些掉链子了")
    (listed,) = answer.results
    assert isinstance(listed, InstanceList)
    assert (bench.clock().date() - listed.day).days == 1


async def test_a_question_is_read_with_the_one_before_only_where_it_asks_nothing_by_itself(sqlite_store: Store) -> None:
    script = says(chooses("list_instances", kind="failed", subject=""))
    _, _, fake = await routed(sqlite_store, script, "哪些掉链子了", "昨天呢", "昨晚怎么样")
    told = [body["messages"][1]["content"] for body in fake.requests]
    assert told[1].startswith("之前：哪些掉链子了\n")
    assert "之前" not in told[2]


# ── what is offered
def test_only_what_was_written_or_shown_can_be_named() -> None:
    assert offered(f"{TARGET} 咋了")["diagnose"] == {"target": (TARGET,)}
    assert offered("第二个咋了", "list")["diagnose"] == {"target": ("dws_b_di",)}
    assert offered("它呢", "one")["instance_status"] == {"target": ("dws_a_di",)}
    assert offered("看看", quoted="dws_q_di 失败")["diagnose"] == {"target": ("dws_q_di",)}


def test_without_a_name_no_tool_that_needs_one_is_offered() -> None:
    assert set(offered("重跑一下")) == {"overview", "list_instances", "none"}


@pytest.mark.parametrize(
    ("text", "operations"),
    [
        ("重跑 dws_a_di", ("rerun",)),
        ("把 dws_a_di 连下游一起重跑", ("rerun_downstream",)),
        ("重跑 dws_a_di，别动下游", ("rerun",)),
        ("dws_a_di 先别重跑", ()),
        ("dws_a_di 重跑有用吗", ()),
        ("dws_a_di 影响了哪些下游", ()),
    ],
)
def test_a_change_is_offered_only_as_it_was_asked_for(text: str, operations: tuple[str, ...]) -> None:
    assert offered(text).get("propose_operation", {}).get("operation", ()) == operations


def test_a_day_or_a_project_is_not_the_name_of_a_task() -> None:
    assert "diagnose" not in offered("20261120 失败的任务")
    assert offered("what failed in project ads_report")["list_instances"]["subject"] == ("", "ads_report")
    assert "diagnose" not in offered("what failed in project ads_report")


def test_mine_is_offered_only_to_who_speaks_of_themselves() -> None:
    assert "mine" not in offered("哪些失败了")["list_instances"]["kind"]
    assert "mine" in offered("我的哪些失败了")["list_instances"]["kind"]


def test_what_was_pointed_at_is_handed_on_by_reference() -> None:
    """A task is looked up by the reference of its instance, a table by its name."""
    offer = Offer(Question("第二个", TODAY, PASTS["list"]))
    assert offer.read('{"tool": "diagnose", "args": {"target": "dws_b_di"}}') == Call("diagnose", {"target": "demo:2"})
    found = offer.read('{"tool": "table_freshness", "args": {"name": "dws_b_di"}}')
    assert found == Call("table_freshness", {"name": "dws_b_di"})


def test_two_runs_of_one_task_stay_two() -> None:
    runs = tuple(Item("instance", f"demo:{hour}", "dws_hourly") for hour in (1, 2))
    offer = Offer(Question("前两个为什么失败", TODAY, Past((Turn("哪些失败了", items=runs),))))
    assert {item.ref for item in offer.things.values()} == {"demo:1", "demo:2"}


def test_the_number_of_a_run_is_read_not_chosen() -> None:
    offer = Offer(Question("dws_a_di 第3次的日志", TODAY))
    found = offer.read('{"tool": "instance_log", "args": {"target": "dws_a_di"}}')
    assert found == Call("instance_log", {"target": "dws_a_di", "run": "3"})


SAID = st.lists(
    st.sampled_from(
        ["重跑", "它", "第二个", "dws_a_di", "昨天", "finance 项目", "我的", "为什么失败", "token=abcdefgh12345678"]
    )
    | st.text(max_size=40),
    max_size=5,
).map(" ".join)


@given(SAID, st.sampled_from(sorted(PASTS)), SAID)
def test_every_choice_that_is_offered_is_a_call_that_the_tools_take(said: str, past: str, quoted: str) -> None:
    """Whatever is typed: nothing secret or endless is offered, and each offer can be read back."""
    offer = Offer(Question(said, TODAY, PASTS[past], quoted))
    assert "abcdefgh12345678" not in json.dumps(offer.schema())
    for tool, options in offer.tools.items():
        assert all(values and len(value) <= NAME for values in options.values() for value in values)
        last: dict[str, Any] = {name: values[-1] for name, values in options.items()}
        call = offer.read(json.dumps({"tool": tool, "args": last}))
        if call is not None:
            SCHEMAS[call.name].model_validate(dict(call.arguments))


def test_what_the_rules_read_for_certain_is_left_to_them() -> None:
    assert left_to_rules(Question(ALERT, TODAY))
    assert not left_to_rules(Question("昨晚怎么样", TODAY))


# ── before the first person asks
@pytest.mark.parametrize("mode", ["tools", "router"])
async def test_warming_up_sends_what_every_question_begins_with(sqlite_store: Store, mode: str) -> None:
    async with serving(says(Says("pong"), chooses("overview"))) as fake:
        bench = Bench(sqlite_store, configured(fake).model_copy(update={"mode": mode}))
        await bench.agent.warm()
        await bench.ask("昨晚怎么样")
    warming, asking = fake.requests[:2]
    assert warming["messages"][0] == asking["messages"][0]
    assert warming.get("tools") == asking.get("tools")


async def test_a_model_that_cannot_be_warmed_up_stops_nothing(sqlite_store: Store) -> None:
    async with serving(says(Says(raw="{}", status=401))) as fake:
        bench = Bench(sqlite_store, routing(fake))
        await bench.agent.warm()
        assert isinstance((await bench.ask("昨晚怎么样")).results[0], Overview)
