"""`/whoami`, `/link`, `/unlink`, `/assistant`, `/model`: what each person is told, on which side, and what no model reaches."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.access import Access, Person
from core.agent.toolkit import Toolkit
from core.audit import Audit
from core.commands import Asked, Commands, people
from core.errors import BadInput, Denied, Unreachable
from core.messages import Actor, Conversation
from core.people import Linking, Register
from core.proposals import Proposals
from core.results import Account, LinkCode, Notice, Result
from core.settings import PersonSettings
from core.store import Store
from core.switches import Switches
from core.tools.act import Act
from tests.fakes.desk import Desk, access
from tests.fakes.wall_clock import WallClock

PEOPLE = (
    PersonSettings(name="chen", role="operator", projects=("trade",), identities={"feishu": "ou_chen"}),
    PersonSettings(name="root", role="admin", identities={"feishu": "ou_root"}),
)
CHEN, ROOT, NEW = Actor("feishu", "ou_chen"), Actor("feishu", "ou_root"), Actor("wecom", "chen")


@dataclass
class Talk:
    """Private chats with everyone, and what was said in them unasked."""

    access: Access
    switches: Switches
    store: Store
    told: list[tuple[str, str, Result]] = field(default_factory=list[tuple[str, str, Result]])
    down: bool = False

    async def tell(self, conversation: Conversation, person: Person, result: Result, *, key: str) -> None:
        """Implements `core.commands.people.Tell`."""
        assert key
        if self.down:
            raise Unreachable("gone", system=conversation.channel)
        self.told.append((conversation.key, person.name, result))

    async def say(self, line: str, actor: Actor = CHEN, kind: str = "private") -> Result | None:
        """A typed command, and what it is answered."""
        clock = WallClock()
        linking = Linking(self.store, self.access, Audit(self.store, clock=clock), clock=clock)
        commands = Commands(people(self.access, linking, self.switches, self.tell))
        word, arguments = commands.parse(line)
        chat = Conversation(actor.channel, actor.id, "group" if kind == "group" else "private")
        return await commands.run(word, Asked(self.access.person(actor), chat, arguments, actor=actor))

    async def code(self, actor: Actor = CHEN) -> str:
        """What someone has to send."""
        shown = await self.say("/link", actor)
        assert isinstance(shown, LinkCode)
        return shown.code

    async def notice(self, line: str, actor: Actor = CHEN, kind: str = "private") -> str:
        """Which sentence answers."""
        shown = await self.say(line, actor, kind)
        assert isinstance(shown, Notice)
        return shown.text


@pytest.fixture
def talk(sqlite_store: Store) -> Talk:
    """Chen and an administrator on Feishu; nobody on WeCom."""
    clock = WallClock()
    known = Access(PEOPLE, Register(sqlite_store), clock=clock)
    switches = Switches(sqlite_store, known, Audit(sqlite_store, clock=clock), ("qwen", "deepseek"), clock=clock)
    return Talk(known, switches, sqlite_store)


async def test_whoami_tells_rights_messengers_and_switches(talk: Talk) -> None:
    """As they are now."""
    await talk.say(f"/link {await talk.code()}", NEW)
    await talk.say("/model deepseek", ROOT)
    told = await talk.say("/whoami", NEW)
    assert isinstance(told, Account)
    assert (told.person.name, told.identity, told.assistant, told.model) == ("chen", "wecom:chen", "on", "deepseek")
    assert told.channels == ("feishu", "terminal", "web", "wecom")


async def test_a_stranger_is_told_their_id_and_how_to_be_linked(talk: Talk) -> None:
    """By `/whoami`, and by `/link` without a code, which they cannot have."""
    for line in ("/whoami", "/link"):
        told = await talk.say(line, NEW)
        assert isinstance(told, Account)
        assert (told.person.role, told.identity, told.channels) == ("stranger", "wecom:chen", ())


async def test_both_sides_are_told_of_a_link(talk: Talk) -> None:
    """Whose code it was can object at once."""
    assert await talk.notice(f"/link {await talk.code()}", NEW) == "link.linked"
    ((where, who, notice),) = talk.told
    assert (where, who) == ("feishu:ou_chen", "chen")
    assert notice == Notice("link.told_linked", {"identity": "wecom:chen", "channel": "wecom"})


async def test_whose_code_it_was_is_told_of_a_use_that_failed(talk: Talk) -> None:
    """Someone else has it, or it was sent where others read it."""
    assert await talk.notice(f"/link {await talk.code()}", NEW, "group") == "link.public"
    assert await talk.notice(f"/link {await talk.code()}", ROOT) == "link.same_messenger"
    assert [notice.text for _, _, notice in talk.told if isinstance(notice, Notice)] == ["link.told_refused"] * 2


async def test_a_wrong_code_tells_nobody_anything(talk: Talk) -> None:
    """Neither whether such a code was ever made."""
    await talk.code()
    assert await talk.notice("/link AAAA-BBBB-CCCC", NEW) == "link.wrong"
    assert talk.told == []


async def test_a_messenger_that_is_down_undoes_no_link(talk: Talk) -> None:
    """It stands, and is in the trail; the notice is lost, as the log says."""
    code, talk.down = await talk.code(), True
    assert await talk.notice(f"/link {code}", NEW) == "link.linked"
    assert talk.access.person(NEW).name == "chen"


async def test_codes_are_for_private_chats_and_for_the_patient(talk: Talk) -> None:
    """Said in words, without a code on the card."""
    assert await talk.notice("/link", CHEN, "group") == "link.public"
    for _ in range(5):
        await talk.code()
    assert await talk.notice("/link") == "link.too_many"


async def test_unlinking_names_the_messenger(talk: Talk) -> None:
    """Only what one linked oneself; a stranger has nothing."""
    await talk.say(f"/link {await talk.code()}", NEW)
    assert await talk.notice("/unlink wecom", NEW) == "link.unlinked"
    assert talk.access.person(NEW).role == "stranger"
    assert await talk.notice("/unlink feishu") == "link.not_linked"
    with pytest.raises(BadInput):
        await talk.say("/unlink")
    with pytest.raises(Denied):
        await talk.say("/unlink feishu", NEW)


async def test_the_switches_are_shown_to_everyone_and_moved_by_administrators(talk: Talk) -> None:
    """Without a value the command only tells."""
    assert await talk.notice("/assistant") == "switch.assistant.on"
    assert await talk.notice("/assistant OFF", ROOT) == "switch.assistant.off"
    assert await talk.notice("/model") == "switch.model.named"
    assert await talk.notice("/model off", ROOT) == "switch.model.off"
    for line in ("/assistant on", "/model qwen"):
        with pytest.raises(Denied):
            await talk.say(line)
    with pytest.raises(BadInput):
        await talk.say("/assistant perhaps", ROOT)


def test_no_tool_of_a_model_is_a_command_about_people_or_switches(talk: Talk) -> None:
    """The tools are the whole of what a model can call, and none of them is built with people or switches."""
    clock = WallClock()
    linking = Linking(talk.store, talk.access, Audit(talk.store, clock=clock), clock=clock)
    words = set(people(talk.access, linking, talk.switches, talk.tell))
    desk = Desk()
    act = Act(desk.look, access(), Proposals(talk.store, clock=clock))
    tools = {tool.name for tool in Toolkit(desk.look, act).tools()}
    assert tools & (words | {"confirm", "approve", "reject", "cancel"}) == set()
    for folder in ("core/tools", "core/agent"):
        for source in (Path(__file__).parents[2] / folder).rglob("*.py"):
            text = source.read_text("utf-8")
            assert "core.people" not in text, source
            assert "core.switches" not in text, source
            assert "core.commands" not in text, source
