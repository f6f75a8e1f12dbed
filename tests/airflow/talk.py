"""What a person says to the assistant in a private chat of Feishu, and what comes back."""

from collections.abc import Awaitable

from tests.fakes.feishu import Delivery, FakeFeishu
from tests.fakes.feishu_api import Sent

CHAT, ANN = "oc_private", "ou_ann"


class Talk:
    """Wang's private chat with the bot, where whatever is said or pressed is answered by one more card.

    Attributes:
        feishu: the platform.
    """

    def __init__(self, feishu: FakeFeishu) -> None:
        self.feishu = feishu

    async def say(self, text: str, *, expect: str) -> Sent:
        """Write; gives the answer once it says what is expected."""
        return await self._answer(self.feishu.say(CHAT, ANN, text), expect)

    async def press(self, card: Sent, button: str, *, expect: str) -> Sent:
        """Press; gives the next card once it says what is expected."""
        return await self._answer(self.feishu.press(card.id, button), expect)

    async def _answer(self, asking: Awaitable[Delivery], expected: str) -> Sent:
        before = len(self.feishu.messages)
        assert (await asking).ok
        await self.feishu.until(lambda: expected in "".join(one.text for one in self.feishu.messages[before:]))
        assert len(self.feishu.messages) == before + 1
        return self.feishu.messages[-1]
