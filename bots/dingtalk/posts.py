"""Markdown messages, for apps without a card template: by session webhook while it works, by the robot's API afterwards.

DingTalk forgets what it was sent, so what became of each key is written down, and a call whose outcome is unknown is not
made again. A message is edited by recalling it and sending the newer one below; what went through a webhook cannot be
recalled and stays. Source: open.dingtalk.com, "robot-reply-and-send-messages", "the-robot-sends-a-group-message".
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import structlog
from yarl import URL

from bots.dingtalk.api import Api, moderated
from bots.dingtalk.cards import message, title
from bots.dingtalk.memory import Memory
from bots.dingtalk.places import CHANNEL, post
from core.cards import Card
from core.errors import NotFound, Refused, Throttled
from core.i18n import Words
from core.messages import Conversation
from core.sent_cards import SentCard, SentCards
from core.settings import DingTalk

MARGIN = 60.0
"""Seconds before its end at which a session webhook counts as gone; it lasts about 90 minutes."""

_log = structlog.get_logger(__name__)


class Posts:
    """The messages of one app's robot.

    Args:
        settings: the robot and the hosts that webhooks may be on.
        api: the app's calls.
        sent: what was sent; shared by replicas.
        say: our own words in messages.
        page: address of the web page; may be empty.
        clock: Unix seconds.
    """

    def __init__(
        self, settings: DingTalk, api: Api, sent: SentCards, say: Words, page: str, clock: Callable[[], float]
    ) -> None:
        self._hosts = {URL(settings.oapi).origin(), URL(settings.api).origin()}
        self._robot = settings.robot_code or settings.client_id
        self._api = api
        self._say = say
        self._page = page
        self._clock = clock
        self._sent = sent
        self._webhooks: Memory[tuple[str, float]] = Memory()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def remember(self, conversation: Conversation, webhook: str, until: float) -> None:
        """A session webhook that came with a message; one on any host but DingTalk's is not called.

        Args:
            conversation: what it answers into.
            webhook: its address.
            until: Unix seconds.
        """
        if webhook and _origin(webhook) in self._hosts:
            self._webhooks.keep(conversation.key, (webhook, until - MARGIN))

    async def send(self, conversation: Conversation, card: Card, key: str) -> str:
        """Send a message and return its reference; the same key sends nothing twice."""
        reference = post(conversation, key)
        if reference not in self._under_way:
            sending = asyncio.create_task(self._once(reference, conversation, card), name="dingtalk-message")
            self._under_way[reference] = sending
            sending.add_done_callback(lambda _: self._under_way.pop(reference))
        await asyncio.shield(self._under_way[reference])
        return reference

    async def update(self, reference: str, card: Card) -> None:
        """Recall a message and send the newer one.

        Raises:
            NotFound: it is none of ours.
            Refused: it cannot be recalled (any more).
        """
        sent = await self._sent.get(reference)
        if sent is None:
            raise NotFound(f"no message {reference} was sent", kind="card", name=reference)
        conversation = Conversation(CHANNEL, sent.conversation, "group" if sent.kind == "group" else "private")
        for query_key in sent.sent:
            await self._recall(conversation, query_key)
        await self._sent.put(replace(sent, sent=await self._post(conversation, card)))

    async def _once(self, reference: str, conversation: Conversation, card: Card) -> None:
        if await self._sent.get(reference) is None:
            query_keys = await self._post(conversation, card)
            await self._sent.put(SentCard(reference, conversation.id, conversation.kind, sent=query_keys))

    async def _post(self, conversation: Conversation, card: Card) -> tuple[str, ...]:
        """Send a message; returns the keys by which it can be recalled, none for one that went through a webhook."""
        heading, text = title(card), message(card, self._say, self._page)
        webhook, until = self._webhooks.get(conversation.key) or ("", 0.0)
        if self._clock() < until and await self._answered(webhook, conversation, heading, text):
            return ()
        return (await self._by_robot(conversation, heading, text),)

    async def _answered(self, webhook: str, conversation: Conversation, heading: str, text: str) -> bool:
        """Whether the session webhook took the message; one that ended early is forgotten."""
        try:
            await self._api.post(webhook, {"msgtype": "markdown", "markdown": {"title": heading, "text": text}})
        except (Refused, Throttled) as error:
            if moderated(error):
                raise
            _log.info("dingtalk_webhook_gone", code=error.code)
            self._webhooks.drop(conversation.key)
            return False
        return True

    async def _by_robot(self, conversation: Conversation, heading: str, text: str) -> str:
        """Send by the robot's API; returns the key by which the message can be recalled."""
        parameters = orjson.dumps({"title": heading, "text": text}).decode()
        body = {"robotCode": self._robot, "msgKey": "sampleMarkdown", "msgParam": parameters}
        if conversation.kind == "group":
            body["openConversationId"] = conversation.id
            answer = await self._api.call("POST", "/v1.0/robot/groupMessages/send", body, repeatable=False)
        else:
            to_person = {**body, "userIds": [conversation.id]}
            answer = await self._api.call("POST", "/v1.0/robot/oToMessages/batchSend", to_person, repeatable=False)
            _reached(answer)
        return str(answer.get("processQueryKey", ""))

    async def _recall(self, conversation: Conversation, query_key: str) -> None:
        body: dict[str, Any] = {"robotCode": self._robot, "processQueryKeys": [query_key]}
        path = "/v1.0/robot/otoMessages/batchRecall"  # lower-case "oto" here, unlike for sending
        if conversation.kind == "group":
            body["openConversationId"] = conversation.id
            path = "/v1.0/robot/groupMessages/recall"
        answer = await self._api.call("POST", path, body, repeatable=True)
        if answer.get("failedResult"):
            raise Refused("dingtalk cannot recall the message", system="dingtalk", code="recall")


def _reached(answer: dict[str, Any]) -> None:
    """A message to a person is answered with 200 also when it reached nobody."""
    if answer.get("flowControlledStaffIdList"):
        raise Throttled("dingtalk: too many messages to this person", system="dingtalk", retry_after=1.0, code="flow")
    if answer.get("invalidStaffIdList"):
        raise Refused("dingtalk does not know this person", system="dingtalk", code="staffId.notExisted")


def _origin(address: str) -> URL | None:
    try:
        return URL(address).origin()
    except ValueError:  # not absolute, or no address at all
        return None
