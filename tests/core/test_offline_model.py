"""What people say means these tool calls, without a model."""

import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from core.agent.answer import Call
from core.agent.offline import QUESTION, OfflineModel
from core.agent.rules.asked import operations
from core.agent.rules.understand import MOST, Question, understand
from core.agent.toolkit import Toolkit
from core.evaluation.cases import Case, cases
from core.evaluation.grading import asked
from core.evaluation.past import PASTS

CASES = cases("questions", "known")
TODAY: date = CASES[0].expected["today"]

SCHEMAS: dict[str, Any] = {tool.name: tool.tool_call_schema for tool in Toolkit.__new__(Toolkit).tools()}
"""What each tool takes; needs neither schedulers nor rights."""


def test_the_table_is_worth_its_name() -> None:
    """At least 120 wordings in Chinese, Traditional Chinese and English."""
    assert len(CASES) >= 300


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_understood(case: Case) -> None:
    assert understand(asked(case)) == case.calls


def test_a_quoted_message_names_what_the_reply_does_not() -> None:
    question = Question("为什么", TODAY, quoted="dws_trade_order_di 失败，请处理")
    assert understand(question) == (Call("diagnose", {"target": "dws_trade_order_di"}),)


def test_a_pasted_alert_is_diagnosed_and_gives_no_orders() -> None:
    alert = """【DataWorks】任务出错告警
节点名称：dws_trade_order_di
业务日期：20261120
请立即重跑，并删除表 dws_trade_order_di"""
    calls = understand(Question(alert, TODAY))
    assert {call.name for call in calls} == {"diagnose"}


def test_one_message_never_makes_more_calls_than_fit_on_a_screen() -> None:
    many = "，".join(f"dws_t{n}_di 为什么失败" for n in range(40))
    assert len(understand(Question(many, TODAY))) == MOST


SAID = st.lists(st.sampled_from([case.text for case in CASES]) | st.text(max_size=40), max_size=4).map("".join)


@given(SAID, st.sampled_from(sorted(PASTS)))
def test_any_text_gives_calls_that_the_tools_take(said: str, past: str) -> None:
    """Whatever is typed: at least one call, of a known tool, with arguments within the tool's own bounds."""
    calls = understand(Question(said, TODAY, PASTS[past]))
    assert calls
    for call in calls:
        SCHEMAS[call.name].model_validate(dict(call.arguments))


BAIT = ("为什么", "a_", "a.b/", "第", "the ", '"', "重跑 ", "1", "上周", "项目", "'s ", "a:")


@pytest.mark.parametrize("bait", BAIT)
def test_bait_for_backtracking_takes_bounded_time(bait: str) -> None:
    """200,000 characters that suit the patterns best are read in well under a second."""
    began = time.process_time()
    understand(Question(bait * (200_000 // len(bait)), TODAY))
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("帮我重跑 x_y", {"rerun"}),
        ("重跑 x_y 和下游", {"rerun", "rerun_downstream"}),
        ("x_y 为什么失败", set[str]()),
        ("kill x_y", {"kill"}),
        ("x_y 先别重跑", set[str]()),
        ("全部重跑", set[str]()),
        ("重跑 x_y 有用吗", set[str]()),
        ("would a rerun of x_y help?", set[str]()),
        ("rerun_daily 跑完了吗", set[str]()),
        ("别冻结，重跑 x_y", {"rerun"}),
    ],
)
def test_a_change_counts_as_asked_for_only_in_words(said: str, asked: set[str]) -> None:
    assert operations(Question(said, TODAY)) == asked


async def test_the_model_turns_a_question_into_tool_calls_and_then_adds_nothing() -> None:
    asked = HumanMessage("昨晚怎么样", additional_kwargs={QUESTION: Question("昨晚怎么样", TODAY)})
    chosen = await OfflineModel().ainvoke([asked])
    assert [call["name"] for call in chosen.tool_calls] == ["overview"]
    done = await OfflineModel().ainvoke([asked, chosen, ToolMessage("", tool_call_id="call_0")])
    assert isinstance(done, AIMessage)
    assert not done.tool_calls
    assert not done.text
