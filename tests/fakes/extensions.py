"""DataWorks' console on loopback: operations wait in it until an extension answers, each by the callback it waits for.

Rules, from the reference: a message that does not wait is refused; development waits for `UpdateIDEEventResult`, the Operation
Center for `UpdateWorkbenchEventResult`, whose no is written `Fail`; the same verdict again is taken, another one is not.
"""

from dataclasses import dataclass
from typing import ClassVar

from tests.fakes.aliyun import Fault, Json
from tests.fakes.dataworks import FakeDataWorks

EXTENSION = "3f2c-extension"


@dataclass
class Waiting:
    """An operation that waits, or its verdict."""

    action: str
    verdict: str = ""
    tip: str = ""


class Console(FakeDataWorks):
    """The server.

    Attributes:
        waiting: by message.
    """

    CALLBACKS: ClassVar[dict[str, tuple[str, str]]] = {
        "UpdateIDEEventResult": ("CheckResultTip", "FAIL"),
        "UpdateWorkbenchEventResult": ("CheckResultTip", "Fail"),
        "CallbackExtension": ("CheckMessage", "FAIL"),
    }

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, Waiting] = {}

    def verdict(self, message: str) -> str:
        """`OK`, `FAIL`, or nothing yet."""
        return self.waiting[message].verdict.upper()

    async def answer(self, action: str, given: Json) -> Json:
        """Take a verdict; everything else as before."""
        if action not in self.CALLBACKS:
            return await super().answer(action, given)
        tip, no = self.CALLBACKS[action]
        one = self.waiting.get(given["MessageId"])
        if one is None or one.action != action or given["ExtensionCode"] != EXTENSION:
            raise Fault(400, "InvalidParameter.MessageId", "there is no such check")
        if given["CheckResult"] not in {"OK", no} or one.verdict not in {"", given["CheckResult"]}:
            raise Fault(400, "InvalidParameter.CheckResult", "the check has another result")
        one.verdict, one.tip = given["CheckResult"], given.get(tip, "")
        return {"Success": True}
