"""`Look` and `Act` as LangChain tools: plain names, short descriptions, bounded arguments.

The text a model reads is the fenced digest of a result; the card is made from the artifact, which is the result itself.
Who asks and where comes from the runtime context, so the tools are built once and nothing a model writes changes it.
No tool here carries a change out: `propose_operation` stores a proposal and ends the turn.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import Field

from core.agent.digest import digest
from core.agent.past import focus, items
from core.agent.turn import Turn
from core.redact import fence
from core.results import Notice, Result
from core.tools.act import Act
from core.tools.groups import Kind
from core.tools.look import Look

Runtime = ToolRuntime[Any, Any]
"""Its context is a `Turn`. Not said in the type: pydantic would build a schema of all that a turn holds, for each tool."""
Found = tuple[str, Result]
Target = Annotated[str, Field(min_length=1, max_length=300, description="a reference, an id or a name, copied exactly")]
Subject = Annotated[
    str, Field(max_length=120, description="project, owner or part of a name; `mine` for the person's own")
]
Day = Annotated[str, Field(max_length=20, description="YYYY-MM-DD; empty for today")]
Run = Annotated[int, Field(ge=0, le=10_000, description="number of the run; 0 for the latest")]
Proposable = Literal["rerun", "rerun_downstream", "set_success", "kill", "freeze", "unfreeze", "backfill"]
Topic = Literal[
    "help",
    "greeting",
    "thanks",
    "goodbye",
    "which_task",
    "which_table",
    "one_at_a_time",
    "not_everything",
    "no_delete",
    "nothing_done",
    "out_of_scope",
    "say_promise",
    "say_approval",
    "not_understood",
]
USUAL = ("overview", "failed", "repeated", "help")
SUGGESTIONS: Mapping[Topic, tuple[str, ...]] = {"not_everything": ("rerun-failed", "failed", "overview")}
"""Commands offered with a topic, where they are not the usual: who wants everything rerun gets a list to confirm."""


class Toolkit:
    """The tools.

    Args:
        look: reads.
        act: proposes.
    """

    def __init__(self, look: Look, act: Act) -> None:
        self._look = look
        self._act = act

    def tools(self) -> list[BaseTool]:
        """All tools. Those that end the turn return directly: nothing is left for a model to add."""
        reads = (
            self.overview,
            self.list_instances,
            self.instance_status,
            self.table_freshness,
            self.instance_log,
            self.upstream,
            self.downstream,
            self.diagnose,
        )
        artifact = "content_and_artifact"
        looking = [StructuredTool.from_function(coroutine=read, response_format=artifact) for read in reads]
        ending = [
            StructuredTool.from_function(coroutine=end, response_format=artifact, return_direct=True)
            for end in (self.propose_operation, self.help)
        ]
        return [*looking, *ending]

    async def overview(self, runtime: Runtime, day: Day = "") -> Found:
        """How the day went: counts by status, failed and repeatedly failed, for all the person may operate and their own."""
        return _found(_turn(runtime), await self._look.overview(_turn(runtime).person, day=day))

    async def list_instances(
        self,
        runtime: Runtime,
        kind: Kind,
        subject: Subject = "",
        day: Day = "",
        offset: Annotated[int, Field(ge=0, le=10_000)] = 0,
    ) -> Found:
        """List instances of a day: failed, repeated (failed today and yesterday), running, waiting, mine, or a project's."""
        person = _turn(runtime).person
        return _found(
            _turn(runtime), await self._look.instances(person, kind=kind, subject=subject, day=day, offset=offset)
        )

    async def instance_status(self, runtime: Runtime, target: Target, day: Day = "") -> Found:
        """What one task or instance is doing now, and how it went before."""
        return _found(_turn(runtime), await self._look.status(_turn(runtime).person, target, day=day))

    async def table_freshness(self, runtime: Runtime, name: Target, day: Day = "") -> Found:
        """Whether a table was updated: when, by which instance, or when it is expected."""
        return _found(_turn(runtime), await self._look.table(_turn(runtime).person, name, day=day))

    async def instance_log(self, runtime: Runtime, target: Target, run: Run = 0, day: Day = "") -> Found:
        """The log of a run, with the lines that look like the fault."""
        return _found(_turn(runtime), await self._look.log(_turn(runtime).person, target, run=run, day=day))

    async def upstream(self, runtime: Runtime, target: Target) -> Found:
        """Instances that one waits for."""
        return _found(_turn(runtime), await self._look.lineage(_turn(runtime).person, target, direction="upstream"))

    async def downstream(self, runtime: Runtime, target: Target) -> Found:
        """Instances that wait for one, and are affected when it fails."""
        return _found(_turn(runtime), await self._look.lineage(_turn(runtime).person, target, direction="downstream"))

    async def diagnose(self, runtime: Runtime, target: Target, day: Day = "") -> Found:
        """Why a task or instance failed or does not start, with evidence, and whether a rerun helps."""
        return _found(_turn(runtime), await self._look.diagnose(_turn(runtime).person, target, day=day))

    async def propose_operation(
        self, runtime: Runtime, operation: Proposable, target: Target, day: Day = "", until: Day = ""
    ) -> Found:
        """Propose a change that the person asked for. It is carried out only after a person confirms it on the card.

        A backfill takes its first and last business date as `day` and `until`.
        """
        turn = _turn(runtime)
        found = await self._act.propose(turn.person, turn.conversation, operation, target, day=day, until=until)
        return _found(turn, found)

    async def help(self, runtime: Runtime, topic: Topic = "help") -> Found:  # every tool has a runtime
        """Answer without looking anything up: greet, say what is possible, ask which task is meant, or refuse."""
        return _found(_turn(runtime), Notice(topic, suggestions=SUGGESTIONS.get(topic, USUAL)))


def _turn(runtime: Runtime) -> Turn:
    return runtime.context


def _found(turn: Turn, result: Result) -> Found:
    named = [name for item in (*focus((result,)), *items((result,))) for name in (item.ref, item.label)]
    text = digest(result, hide=lambda text: turn.stand_ins.hide(text, named))
    return fence(text, type(result).__name__), result
