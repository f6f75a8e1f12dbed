"""The messengers as the table of faults sees them: one person who asks, what she sees, and what can break."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from tests.e2e.process import Xops, feishu_settings
from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.dingtalk_api import ApiRefused
from tests.fakes.feishu_stream import StreamingFeishu
from tests.fakes.wecom import FakeWeCom
from tests.fakes.wecom_bot import FakeWeComBot
from tests.waiting import eventually

THROTTLED_SECONDS = 30.0

Fault = Callable[[], Awaitable[None]]


class Side(ABC):
    """One messenger, its people, and what can go wrong with it."""

    name: str
    channel: str

    @abstractmethod
    def settings(self) -> Mapping[str, str]:
        """`XOPS_…` variables of an assistant that serves it."""

    @abstractmethod
    def faults(self) -> Mapping[str, Fault]:
        """What can be broken, by the name of the row; the process's own end aside."""

    @abstractmethod
    async def connected(self, processes: Sequence[Xops]) -> None:
        """Wait until what is asked reaches one of these processes."""

    @abstractmethod
    async def say(self, text: str, times: int = 1) -> None:
        """Ask in the private chat."""

    @abstractmethod
    def texts(self) -> Iterator[str]:
        """What the person sees in it."""

    def answers(self, name: str) -> int:
        """How many answers hold a name."""
        return sum(name in text for text in self.texts())


def people(channel: str, identity: str) -> str:
    """The one person."""
    return json.dumps([{"name": "chen", "role": "operator", "projects": ["*"], "identities": {channel: identity}}])


class OnFeishu(Side):
    """Feishu's long connection."""

    name, channel = "Feishu", "feishu"

    def __init__(self, feishu: StreamingFeishu) -> None:
        self._feishu = feishu

    def settings(self) -> Mapping[str, str]:
        """See `Side`."""
        quick = {"XOPS_FEISHU__HEARTBEAT_SECONDS": "2", "XOPS_WEB__PERSON": "chen"}
        return feishu_settings(self._feishu, people("feishu", "ou_ann"), **quick)

    def faults(self) -> Mapping[str, Fault]:
        """See `Side`."""
        return {
            "connection dropped in mid-turn": self._drop,
            "half-open peer": self._freeze,
            "token expired early": self._expire,
            "throttled for 30 s": self._throttle,
            "200 with an error inside": self._lie,
        }

    async def connected(self, processes: Sequence[Xops]) -> None:
        """See `Side`."""
        await self._feishu.until_connected(len(processes), within=60)

    async def say(self, text: str, times: int = 1) -> None:
        """See `Side`."""
        await self._feishu.say("oc_private", "ou_ann", text, times=times)

    def texts(self) -> Iterator[str]:
        """See `Side`."""
        return (message.text for message in self._feishu.messages)

    async def _drop(self) -> None:
        self._feishu.links[0].drop()

    async def _freeze(self) -> None:
        self._feishu.links[0].frozen = True

    async def _expire(self) -> None:
        self._feishu.expire_tokens()

    async def _throttle(self) -> None:
        self._feishu.close_for(THROTTLED_SECONDS)

    async def _lie(self) -> None:
        self._feishu.stale_token_status = 200
        self._feishu.expire_tokens()


class ThrottlingDingTalk(FakeDingTalk):
    """DingTalk that can refuse everything for a while, as it does beyond the rate of an app."""

    closed_until = 0.0

    def _allow(self, request: web.Request) -> None:
        if time.time() < self.closed_until and request.path.startswith("/v1.0/card/"):
            raise ApiRefused("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403)
        super()._allow(request)


class OnDingTalk(Side):
    """DingTalk's Stream mode, with the card template."""

    name, channel = "DingTalk", "dingtalk"

    def __init__(self, dingtalk: ThrottlingDingTalk) -> None:
        self._dingtalk = dingtalk

    def settings(self) -> Mapping[str, str]:
        """See `Side`."""
        app = self._dingtalk.settings
        return {
            "XOPS_DINGTALK__CLIENT_ID": app.client_id,
            "XOPS_DINGTALK__CLIENT_SECRET": app.client_secret.get_secret_value(),
            "XOPS_DINGTALK__CARD_TEMPLATE_ID": app.card_template_id,
            "XOPS_DINGTALK__API": app.api,
            "XOPS_DINGTALK__OAPI": app.oapi,
            "XOPS_DINGTALK__IDLE_SECONDS": "20",
            "XOPS_PEOPLE": people("dingtalk", "ann"),
            "XOPS_WEB__PERSON": "chen",
        }

    def faults(self) -> Mapping[str, Fault]:
        """See `Side`."""
        return {
            "connection dropped in mid-turn": self._dingtalk.drop,
            "half-open peer": self._freeze,
            "token expired early": self._expire,
            "throttled for 30 s": self._throttle,
            "503 once": self._fail,
        }

    async def connected(self, processes: Sequence[Xops]) -> None:
        """See `Side`."""
        await eventually(lambda: len(self._dingtalk.connections) == len(processes), within=60)

    async def say(self, text: str, times: int = 1) -> None:
        """See `Side`."""
        await self._dingtalk.say("ann", "ann", text, times=times)

    def texts(self) -> Iterator[str]:
        """See `Side`."""
        return (shown.text for shown in self._dingtalk.messages)

    async def _freeze(self) -> None:
        self._dingtalk.answers_pings = False
        await self._dingtalk.drop()
        await eventually(lambda: self._dingtalk.opened == 2, within=60)
        self._dingtalk.answers_pings = True
        await eventually(lambda: self._dingtalk.opened == 3, within=60)

    async def _expire(self) -> None:
        self._dingtalk.expire_tokens()

    async def _throttle(self) -> None:
        self._dingtalk.closed_until = time.time() + THROTTLED_SECONDS

    async def _fail(self) -> None:
        unable = {"success": False, "code": "ServiceUnavailable", "message": "try again"}
        path = "/v1.0/card/instances/createAndDeliver"
        self._dingtalk.faults[path].append(web.json_response(unable, status=503))


class OnWeCom(Side):
    """WeCom's self-built app, by callbacks."""

    name, channel = "WeCom app", "wecom"

    def __init__(self, wecom: FakeWeCom) -> None:
        self._wecom = wecom

    def settings(self) -> Mapping[str, str]:
        """See `Side`."""
        app = self._wecom.settings
        return {
            "XOPS_WECOM__CORP_ID": app.corp_id,
            "XOPS_WECOM__AGENT_ID": str(app.agent_id),
            "XOPS_WECOM__SECRET": app.secret.get_secret_value(),
            "XOPS_WECOM__CALLBACK_TOKEN": app.callback_token.get_secret_value(),
            "XOPS_WECOM__ENCODING_AES_KEY": app.encoding_aes_key.get_secret_value(),
            "XOPS_WECOM__API": app.api,
            "XOPS_PEOPLE": people("wecom", "ann"),
            "XOPS_WEB__PERSON": "chen",
        }

    def faults(self) -> Mapping[str, Fault]:
        """See `Side`."""
        return {
            "token expired early": self._expire,
            "throttled for 30 s": self._throttle,
            "200 with an error inside": self._lie,
        }

    async def connected(self, processes: Sequence[Xops]) -> None:
        """See `Side`; callbacks go to the last of the processes."""
        self._wecom.webhook = f"{processes[-1].url}/wecom/app"

    async def say(self, text: str, times: int = 1) -> None:
        """See `Side`."""
        await self._wecom.say("ann", text, times=times)

    def texts(self) -> Iterator[str]:
        """See `Side`."""
        return (message.text for message in self._wecom.messages)

    async def _expire(self) -> None:
        self._wecom.expire_tokens()

    async def _throttle(self) -> None:
        self._wecom.trouble.busy_until = time.time() + THROTTLED_SECONDS

    async def _lie(self) -> None:
        self._wecom.trouble.answers.append(web.json_response({"errcode": -1, "errmsg": "system busy"}))


class OnWeComBot(Side):
    """WeCom's AI bot, by its long connection."""

    name, channel = "WeCom bot", "wecom_bot"

    def __init__(self, gateway: FakeWeComBot) -> None:
        self._gateway = gateway

    def settings(self) -> Mapping[str, str]:
        """See `Side`."""
        bot = self._gateway.settings
        return {
            "XOPS_WECOM_BOT__BOT_ID": bot.bot_id,
            "XOPS_WECOM_BOT__SECRET": bot.secret.get_secret_value(),
            "XOPS_WECOM_BOT__URL": bot.url,
            "XOPS_PEOPLE": people("wecom_bot", "ann"),
            "XOPS_WEB__PERSON": "chen",
        }

    def faults(self) -> Mapping[str, Fault]:
        """See `Side`."""
        return {
            "connection dropped in mid-turn": self._cut,
            "half-open peer": self._freeze,
            "200 with an error inside": self._forget,
        }

    async def connected(self, processes: Sequence[Xops]) -> None:
        """See `Side`; one replica holds the only connection."""
        await eventually(lambda: self._gateway.online, within=90)

    async def say(self, text: str, times: int = 1) -> None:
        """See `Side`."""
        await self._gateway.say("ann", text, times=times)

    def texts(self) -> Iterator[str]:
        """See `Side`."""
        return (said.text for said in self._gateway.said)

    def answers(self, name: str) -> int:
        """See `Side`; an answer is a text, a card, or a text and the card with its buttons."""
        cards = sum(name in card.text for card in self._gateway.cards)
        return max(super().answers(name) - cards, cards)

    async def _cut(self) -> None:
        self._gateway.cut()
        await eventually(lambda: not self._gateway.online, within=10)

    async def _freeze(self) -> None:
        before = self._gateway.subscriptions
        self._gateway.trouble.mute = True
        await eventually(lambda: not self._gateway.online, within=120)
        self._gateway.trouble.mute = False
        await eventually(lambda: self._gateway.subscriptions > before and self._gateway.online, within=120)

    async def _forget(self) -> None:
        self._gateway.trouble.forgotten = True


@asynccontextmanager
async def feishu() -> AsyncGenerator[Side]:
    """Feishu, which brings again what nobody took, sooner than the real one."""
    async with StreamingFeishu(redelivery=(1.0,) * 60) as platform:
        yield OnFeishu(platform)


@asynccontextmanager
async def dingtalk() -> AsyncGenerator[Side]:
    """DingTalk."""
    async with ThrottlingDingTalk() as platform:
        yield OnDingTalk(platform)


@asynccontextmanager
async def wecom() -> AsyncGenerator[Side]:
    """WeCom's app."""
    async with FakeWeCom() as platform:
        yield OnWeCom(platform)


@asynccontextmanager
async def wecom_bot() -> AsyncGenerator[Side]:
    """WeCom's AI bot."""
    async with FakeWeComBot() as platform:
        yield OnWeComBot(platform)


SIDES = (feishu, dingtalk, wecom, wecom_bot)
"""What opens a fresh messenger, one at a time."""
