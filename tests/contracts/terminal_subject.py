"""The terminal, for the contract every channel keeps. It cannot take back what it printed; its newest print counts."""

from io import StringIO
from types import TracebackType
from typing import Self

from rich.console import Console

from bots.terminal import TerminalChannel, panel, typed
from core.cards import buttons
from core.messages import Actor, Conversation
from tests.contracts.channels import ChannelSubject
from tests.contracts.wire import Json


class TerminalSubject(ChannelSubject):
    """A terminal of eighty columns."""

    here = Conversation("terminal", "chen")
    unknown = "unknown"
    someone = Actor("terminal", "chen")
    stranger = "somebody"

    async def __aenter__(self) -> Self:
        self._paper = StringIO()
        self._terminal = self.channel = TerminalChannel(Console(file=self._paper, width=80, color_system=None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def shown(self) -> list[str]:
        printed = [StringIO() for _ in self._terminal.cards]
        for paper, card in zip(printed, self._terminal.cards.values(), strict=True):
            Console(file=paper, width=1000, color_system=None).print(panel(card))
        return ["\n".join(_lines(paper.getvalue())) for paper in printed]

    async def labels(self) -> list[str]:
        return [button.label for button in buttons(self._terminal.cards[self._terminal.last])]

    async def say(self, text: str) -> None:
        self.wire.append({"brought": text})
        self.heard.append(typed(text, self._terminal, self.here, Actor("terminal", "chen")))

    async def press(self, label: str) -> None:
        pressable = [button.label for button in buttons(self._terminal.cards[self._terminal.last]) if button.command]
        await self.say(str(pressable.index(label) + 1))

    async def drawn(self) -> list[Json]:
        printed = self._paper.getvalue().splitlines()
        self._paper.seek(0)
        self._paper.truncate()
        return [{"printed": printed}]


def _lines(printed: str) -> list[str]:
    """The lines of a panel without its frame; what stands in the lower edge comes first."""
    *lines, edge = (line.strip("│╭╮╰╯─ ") for line in printed.splitlines())
    return [edge, *lines]
