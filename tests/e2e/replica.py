"""One process of X-Ops without messengers or HTTP, for tests that kill it: a journal and durable work that report.

Run as `python -m tests.e2e.replica URL LEASE_SECONDS [hang] [cron]`. It reads orders from standard input, `accept KEY` and
`submit ID`, and writes what happens to standard output: `up`, `accepted KEY`, `submitted ID yes|no`, `began KEY` and
`done KEY`. Told to `hang`, its handlers begin and never end.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from core.inbox import Inbox
from core.lanes import Lanes
from core.messages import Actor, Conversation, Event, Message
from core.store import Store
from core.store.migrate import upgrade
from core.work import Work


def say(*words: str) -> None:
    """Report, in one write that a kill cannot tear."""
    os.write(1, (" ".join(words) + "\n").encode())


def message(key: str) -> Message:
    """All messages of a process are of one conversation, so they wait for one another."""
    chat = Conversation("feishu", "oc_1")
    return Message(id=key, conversation=chat, actor=Actor("feishu", "ou_1"), text="/overview", at=datetime.now(UTC))


class Process:
    """What the process does with its orders."""

    def __init__(self, url: str, lease_seconds: float, flags: set[str]) -> None:
        self.flags = flags
        owner = f"replica:{os.getpid()}"
        self.store = Store(url)
        self.inbox = Inbox(self.store, Lanes(), self.handle, self.handle, owner=owner, lease_seconds=lease_seconds)
        self.work = Work(self.store, owner=owner, lease_seconds=lease_seconds)
        self.work.on("note", self.note)

    async def start(self) -> None:
        """Take over what a dead one left."""
        await upgrade(self.store)
        if "cron" in self.flags:
            await self.work.cron("digest", "* * * * * *", "Asia/Shanghai", "note")
        await self.inbox.start()
        await self.work.start()
        say("up")

    async def handle(self, event: Event) -> None:
        """An event of the journal."""
        await self.note(event.key, {})

    async def note(self, id: str, payload: Mapping[str, str]) -> None:
        """A piece of work, or an event: both only report."""
        say("began", id)
        if "hang" in self.flags:
            await asyncio.Event().wait()
        say("done", id)

    async def obey(self, order: str, key: str) -> None:
        """Carry out one order."""
        if order == "accept":
            await self.inbox.accept(message(key))
            say("accepted", key)
        else:
            say("submitted", key, "yes" if await self.work.submit("note", key, {}) else "no")


async def main(url: str, lease_seconds: str, *flags: str) -> None:
    """Serve until killed."""
    process = Process(url, float(lease_seconds), set(flags))
    await process.start()
    while line := await asyncio.to_thread(sys.stdin.readline):
        await process.obey(*line.split())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
