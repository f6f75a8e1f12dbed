"""A small model as a router: it is asked once, for one choice in JSON, and never for words.

Small models route well and do little else: left to loop they repeat themselves, and what they say of a result is often
false. So the schema holds nothing but what may be chosen (`core.agent.offer`), and after the tools have run nobody asks
the model again. The agent's graph is the same as for any other model: the choice leaves here as a tool call.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.tool import tool_call

from core.agent.offer import Offer
from core.agent.turn import Stopped, Turn

ANSWER_TOKENS = 200
"""More than the longest choice needs."""


class Router(AgentMiddleware[AgentState[Any], Turn]):
    """Turns one structured answer into one tool call."""

    async def awrap_model_call(
        self, request: ModelRequest[Turn], handler: Callable[[ModelRequest[Turn]], Awaitable[ModelResponse[Any]]]
    ) -> AIMessage:
        """Ask for a choice, unless one was made.

        Raises:
            Stopped: what came back is no choice.
        """
        turn = request.runtime.context
        if turn.uses:
            return AIMessage("")
        offer = Offer(turn.question)
        response = await handler(
            request.override(tools=[], messages=[HumanMessage(offer.told())], model_settings=_held_to(offer.schema()))
        )
        try:
            call = offer.read(response.result[-1].text)
        except ValueError as error:
            raise Stopped("failed") from error
        return AIMessage(
            "", tool_calls=[tool_call(name=call.name, args=dict(call.arguments), id="call_0")] if call else []
        )


def _held_to(schema: dict[str, Any]) -> dict[str, Any]:
    """Settings of a call whose answer is JSON of this schema."""
    wanted = {"type": "json_schema", "json_schema": {"name": "call", "schema": schema}}
    return {"response_format": wanted, "temperature": 0, "max_tokens": ANSWER_TOKENS}
