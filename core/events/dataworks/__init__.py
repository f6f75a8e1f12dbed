"""DataWorks' 51 event types as models; `TYPES` and `CODES` find the model of an event.

EventBridge names an event by its type, Extensions by its code. The type decides; the code is the other key, because
Function Compute sends nothing else and because the message body often repeats it.
"""

from collections.abc import Iterator

from core.events.dataworks import approvals, files, instances, monitoring, nodes, quality, tenant
from core.events.dataworks.base import DataWorksEvent

MODULES = (nodes, files, instances, monitoring, approvals, quality, tenant)


def _models() -> Iterator[type[DataWorksEvent]]:
    for module in MODULES:
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, DataWorksEvent) and "code" in vars(found):
                yield found


TYPES = {model.type: model for model in _models()}
"""Event type to model."""

CODES = {model.code: model for model in TYPES.values()}
"""`eventCode` to model."""

__all__ = ["CODES", "TYPES", "DataWorksEvent"]
