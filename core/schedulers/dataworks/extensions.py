"""Verdicts on operations that wait in DataWorks' console.

Three callbacks, each for another part of it; they differ in what they call the words. Operations of the Operation Center take
`OK` and `Fail`, all others `OK` and `FAIL`.
"""

from typing import Final

from core.schedulers.base import ExtensionAnswer
from core.schedulers.dataworks.client import Client
from core.schedulers.dataworks.wire import Wire

ACTIONS: Final = {
    "ide": "UpdateIDEEventResult",
    "workbench": "UpdateWorkbenchEventResult",
    "extension": "CallbackExtension",
}
LONGEST: Final = 500
"""Characters of a tip; the reference names no limit."""


async def answer_extension(client: Client, answer: ExtensionAnswer) -> None:
    """Tell a verdict; the same again changes nothing there. Raises as `Client.order`."""
    no = "Fail" if answer.callback == "workbench" else "FAIL"
    words = "CheckMessage" if answer.callback == "extension" else "CheckResultTip"
    given = {
        "MessageId": answer.message,
        "ExtensionCode": answer.extension,
        "CheckResult": "OK" if answer.passes else no,
        words: answer.tip[:LONGEST],
    }
    await client.order(ACTIONS[answer.callback], Wire, given)
