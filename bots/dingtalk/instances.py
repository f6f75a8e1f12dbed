"""Interactive cards: created under an id made from the idempotency key, updated by key, never during a callback.

Source: open.dingtalk.com, "create-and-deliver-cards", "interactive-card-update-interface", "event-callback-card".
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from bots.dingtalk.api import Api
from bots.dingtalk.cards import title, variables
from bots.dingtalk.memory import Memory
from bots.dingtalk.places import track
from core.cards import Card
from core.errors import Refused
from core.i18n import Words
from core.messages import Conversation
from core.settings import DingTalk

AFTER_CLICK = 0.5
"""Seconds between a press and an update of its card, which must not fall into the callback."""

CARD_EXISTS = "param.cardAlreadyExist"
CALLBACK_ROUTE = "xops"


class Instances:
    """The cards of one app.

    Args:
        settings: template, robot and mode of the app.
        api: its calls.
        say: our own words on cards.
        page: address of the web page; may be empty.
        sleep: waits.
        clock: seconds, only ever compared with itself.
    """

    def __init__(
        self,
        settings: DingTalk,
        api: Api,
        say: Words,
        page: str,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._robot = settings.robot_code or settings.client_id
        self._api = api
        self._say = say
        self._page = page
        self._sleep = sleep
        self._clock = clock
        self._pressed: Memory[float] = Memory()

    async def send(self, conversation: Conversation, card: Card, key: str) -> str:
        """Show a card and return its id; the same key shows nothing twice.

        Raises:
            Refused: also when DingTalk made the card but did not deliver it.
        """
        id = track(conversation, key)
        callback = {"callbackType": "STREAM"}
        if self._settings.mode == "http":
            callback = {"callbackType": "HTTP", "callbackRouteKey": CALLBACK_ROUTE}
        body = {
            "cardTemplateId": self._settings.card_template_id,
            "outTrackId": id,
            "userIdType": 1,
            "cardData": {"cardParamMap": variables(card, self._say, self._page)},
            **callback,
            **self._space(conversation, title(card)),
        }
        try:
            answer = await self._api.call("POST", "/v1.0/card/instances/createAndDeliver", body, repeatable=True)
        except Refused as error:
            if error.code == CARD_EXISTS:  # an earlier try arrived after all
                return id
            raise
        _delivered(answer)
        return id

    async def update(self, id: str, card: Card) -> None:
        """Replace what a card shows to everyone; what it showed to one person alone stays."""
        await self._sleep(max((self._pressed.get(id) or 0.0) + AFTER_CLICK - self._clock(), 0.0))
        body = {
            "outTrackId": id,
            "cardData": {"cardParamMap": variables(card, self._say, self._page)},
            "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        }
        await self._api.call("PUT", "/v1.0/card/instances", body, repeatable=True)

    def pressed(self, id: str) -> None:
        """A button of this card was pressed, and the callback is not answered yet."""
        self._pressed.keep(id, self._clock())

    async def register_callbacks(self, address: str, secret: str) -> None:
        """Tell DingTalk where card callbacks go in HTTP mode; saying it again changes nothing.

        Args:
            address: public address of our route.
            secret: what DingTalk shall sign them with.
        """
        body = {"callbackRouteKey": CALLBACK_ROUTE, "callbackUrl": address, "apiSecret": secret, "forceUpdate": True}
        await self._api.call("POST", "/v1.0/card/callbacks/register", body, repeatable=True)

    def _space(self, conversation: Conversation, heading: str) -> Mapping[str, Any]:
        """Where the card goes: a group by its conversation, a private chat by the person."""
        last = dict.fromkeys(("ZH_CN", "ZH_TW", "EN_US"), heading)
        space = {"supportForward": False, "lastMessageI18n": last, "notification": {"alertContent": heading}}
        if conversation.kind == "group":
            return {
                "openSpaceId": f"dtv1.card//IM_GROUP.{conversation.id}",
                "imGroupOpenSpaceModel": space,
                "imGroupOpenDeliverModel": {"robotCode": self._robot},
            }
        return {
            "openSpaceId": f"dtv1.card//IM_ROBOT.{conversation.id}",
            "imRobotOpenSpaceModel": space,
            "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": self._robot},
        }


def _delivered(answer: Mapping[str, Any]) -> None:
    """DingTalk reports success also when nobody got the card; the truth is in each delivery's own result."""
    result = answer.get("result")
    deliveries = cast("dict[str, Any]", result).get("deliverResults") if isinstance(result, dict) else None
    for delivery in cast("list[dict[str, Any]]", deliveries or []):
        if not delivery.get("success"):
            said = str(delivery.get("errorMsg", ""))
            raise Refused(f"dingtalk did not deliver the card: {said}", system="dingtalk", code="deliver")
