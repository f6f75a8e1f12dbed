"""What stands between a model and the tools, outermost first.

    Bounds   steps, tokens and seconds; a model that fails or repeats itself ends the turn, not the answer
    Guard    each tool call: names must have been written somewhere, one proposal at most and only when asked for, an
             identical call is not made twice; what was found is recorded here, whatever the model makes of it

Results need no further middleware to be safe to read: they leave the toolkit masked and fenced.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse, ToolCallRequest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately
from langgraph.types import Command

from core.agent.answer import Call
from core.agent.provider import LATE, calling
from core.agent.rules.asked import operations
from core.agent.turn import Stopped, Turn, Use
from core.errors import RemoteError
from core.settings import Model

log = structlog.get_logger(__name__)

COPIED = ("target", "name", "subject")
"""Arguments that must be copied from something the model was shown."""

State = AgentState[Any]


class Bounds(AgentMiddleware[State, Turn]):
    """Limits of one turn.

    Args:
        settings: steps, tokens, and seconds for one call of the model.
    """

    def __init__(self, settings: Model) -> None:
        super().__init__()
        self._settings = settings

    async def awrap_model_call(
        self, request: ModelRequest[Turn], handler: Callable[[ModelRequest[Turn]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any] | AIMessage:
        """Ask the model, unless the turn is over or spent."""
        turn = request.runtime.context
        one_step = self._settings.turn_steps == 1 and turn.results
        if turn.proposed or one_step:
            return AIMessage("")
        if turn.steps >= self._settings.turn_steps or turn.tokens >= self._settings.turn_tokens:
            raise Stopped("budget")
        turn.steps += 1
        try:
            async with calling(self._settings.timeout_seconds):
                response = await handler(request)
        except RemoteError as error:
            log.warning("model failed", error=str(error))
            raise Stopped("slow" if error.code == LATE else "failed") from error
        turn.tokens += sum(_tokens(message) for message in response.result)
        return response


class Guard(AgentMiddleware[State, Turn]):
    """Records each tool call, and checks those of a model that may make things up.

    Args:
        checks: whether it may; the rules copy names by themselves, and complete them (an alert's parts into an id).
    """

    def __init__(self, *, checks: bool) -> None:
        super().__init__()
        self._checks = checks

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        """Make the call, or tell the model why not.

        Raises:
            Stopped: the same call was made before in this turn.
        """
        turn = cast("Turn", request.runtime.context)  # pyright: ignore[reportUnknownMemberType]
        given = {name: _restored(turn, value) for name, value in request.tool_call["args"].items()}
        request = request.override(tool_call={**request.tool_call, "args": given})
        call = Call(request.tool_call["name"], {name: str(value) for name, value in given.items()})
        if any(use.call == call for use in turn.uses):
            raise Stopped("repeated")
        refusal = _refusal(turn, call) if self._checks else ""
        use = Use(call, refused=bool(refusal))
        turn.uses.append(use)
        if refusal:
            return ToolMessage(refusal, tool_call_id=request.tool_call["id"], name=call.name, status="error")
        turn.progress(call.name)
        answer = await handler(request)
        if isinstance(answer, ToolMessage):
            use.result = answer.artifact
            turn.known += turn.stand_ins.restore(answer.text).casefold()
        return answer


def _restored(turn: Turn, value: object) -> object:
    return turn.stand_ins.restore(value) if isinstance(value, str) else value


def _refusal(turn: Turn, call: Call) -> str:
    """Why a call is not made, for the model to adapt to; empty when it may be made."""
    for name in COPIED:
        value = call.arguments.get(name, "")
        if value and value != "mine" and not turn.knows(value):
            return f"{name} {value!r} was not written by the person or a tool: copy it exactly, or ask with help(which_task)"
    if call.name == "propose_operation":
        if any(use.call.name == call.name and not use.refused for use in turn.uses):
            return "one proposal a turn: wait until the person has decided on the first"
        if call.arguments.get("operation") not in operations(turn.question):
            return "the person did not ask for this change: answer the question, or ask"
    return ""


def _tokens(message: BaseMessage) -> int:
    """As the provider counted them, or an estimate."""
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    return usage["total_tokens"] if usage else count_tokens_approximately([message])
