"""The model that is always there: rules that choose tools, behind the interface of a chat model.

The default when no model is configured, and what answers when the configured one fails, is late, or is over budget. It
takes one step: from a question to all its tool calls; with their results in, it adds nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from core.agent.rules.understand import Question, understand

QUESTION = "question"
"""Where a `HumanMessage` carries the `Question` in its `additional_kwargs`; providers do not send those."""


class OfflineModel(BaseChatModel):
    """Chooses tools by `core.agent.rules`."""

    @property
    def _llm_type(self) -> str:
        return "xops-rules"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,  # noqa: ANN401  # LangChain's signature
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The rules know the tools by name already."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ANN401  # LangChain's signature
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=_reply(messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ANN401  # LangChain's signature
    ) -> ChatResult:
        return await asyncio.to_thread(self._generate, messages)


def _reply(messages: list[BaseMessage]) -> AIMessage:
    if isinstance(messages[-1], ToolMessage):
        return AIMessage("")
    asked = next(message for message in reversed(messages) if isinstance(message, HumanMessage))
    question: Question = asked.additional_kwargs[QUESTION]
    calls = [
        tool_call(name=call.name, args=dict(call.arguments), id=f"call_{number}")
        for number, call in enumerate(understand(question))
    ]
    return AIMessage("", tool_calls=calls)
