"""Builds the agents. Everything LangChain begins here: import this module in a thread, on first use."""

import asyncio
from typing import Any, cast

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from core.agent.middleware import Bounds, Guard
from core.agent.offline import QUESTION, OfflineModel
from core.agent.prompts import PROMPTS, prompt
from core.agent.provider import calling
from core.agent.router import Router
from core.agent.rules.names import identifiers
from core.agent.toolkit import Toolkit
from core.agent.turn import Turn
from core.errors import ConfigurationError
from core.redact import fence, mask
from core.settings import Model

Graph = CompiledStateGraph[Any, Turn, Any, Any]
ANSWER_TOKENS = 800
"""Most tokens a model may write at once: a tool call and a sentence need far less; a model that runs on is cut."""

PROBE_TOKENS = 16
"""The fewest that every provider accepts."""
WARM_SECONDS = 180.0
"""For reading the prompt once, on a slow machine."""


def build_agent(model: BaseChatModel, toolkit: Toolkit, settings: Model) -> Graph:
    """An agent with all tools, limits and guards around a chat model."""
    checks = not isinstance(model, OfflineModel)
    routing = [Router()] if settings.mode == "router" else []
    graph = create_agent(
        model,
        toolkit.tools(),
        system_prompt=prompt(PROMPTS[settings.mode]).text,
        middleware=[*routing, Bounds(settings), Guard(checks=checks)],
        context_schema=Turn,
    )
    return cast("Graph", graph)


def rules() -> BaseChatModel:
    """The model that needs nothing."""
    return OfflineModel()


def configured(settings: Model) -> BaseChatModel:
    """The chat model that the settings name. Retries would only use up the turn: the rules answer instead.

    Raises:
        ConfigurationError: the provider is not known, its package not installed, or its key not set.
    """
    from openai import OpenAIError  # 13 MiB and 0.3 s, which the rules do without

    options: dict[str, Any] = {"temperature": 0, "max_tokens": ANSWER_TOKENS, "max_retries": 0}
    if settings.base_url:
        options["base_url"] = settings.base_url
    if key := settings.api_key.get_secret_value() or ("none" if settings.base_url else ""):
        options["api_key"] = key
    options["timeout"] = settings.timeout_seconds
    try:
        return cast("BaseChatModel", init_chat_model(settings.name, model_provider=settings.provider, **options))
    except (ImportError, ValueError, OpenAIError) as error:
        raise ConfigurationError(
            f"model.provider {settings.provider!r}: is its name right, its package installed, its key set?"
        ) from error


async def probe(settings: Model) -> None:
    """One call of the configured model, as small as can be. Raises as `Agent.probe` does."""
    model = await asyncio.to_thread(configured, settings)
    async with calling(settings.timeout_seconds):
        await model.ainvoke("ping", max_tokens=PROBE_TOKENS)


async def warm(settings: Model, toolkit: Toolkit) -> None:
    """Let the model's server read what every question begins with, and keep it: 20 to 90 s for a small local one.

    Raises:
        ConfigurationError, RemoteError: as `Agent.probe` does.
    """
    patient = settings.model_copy(update={"timeout_seconds": WARM_SECONDS})
    model = await asyncio.to_thread(configured, patient)
    ready = model if settings.mode == "router" else model.bind_tools(toolkit.tools())
    begins = [SystemMessage(prompt(PROMPTS[settings.mode]).text), HumanMessage("ping")]
    async with calling(WARM_SECONDS):
        await ready.ainvoke(begins, max_tokens=PROBE_TOKENS)


async def run(graph: Graph, turn: Turn, now: str) -> str:
    """Let an agent answer; what it found is in `turn`, also when this raises.

    Returns:
        The model's own closing words.
    """
    limit: RunnableConfig = {"recursion_limit": 100}  # `Bounds` ends a turn long before
    state = await graph.ainvoke(  # pyright: ignore[reportUnknownMemberType]
        {"messages": _messages(turn, now)}, config=limit, context=turn
    )
    last = state["messages"][-1]
    return last.text if isinstance(last, AIMessage) else ""


def _messages(turn: Turn, now: str) -> list[BaseMessage]:
    """The conversation as a model reads it: masked, what cards showed fenced, the question last."""
    question = turn.question
    told: list[BaseMessage] = []
    if question.past.summary:
        told.append(HumanMessage(fence(question.past.summary, "earlier conversation")))
    for earlier in question.past.turns:
        told += [HumanMessage(earlier.said), AIMessage(fence(earlier.answered, "card shown"))]
    quoted = f"{fence(mask(question.quoted), 'quoted message')}\n" if question.quoted else ""
    asked = f"[{now}]\n{quoted}{turn.stand_ins.hide(question.text, (name.text for name in identifiers(question.text)))}"
    return [*told, HumanMessage(asked, additional_kwargs={QUESTION: question})]
