"""An event on its way in: who sent it, what it is, and the typed body, read from either of DataWorks' two envelopes.

EventBridge wraps the message in CloudEvents 1.0 (`id`, `source`, `type`, `time`, `data`), Function Compute in one of its own
(`messageId`, `messageBody`, `eventType`, `blockBusiness`, `eventCategoryType`). A type nobody knows is an event all the same.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import orjson
from pydantic import TypeAdapter, ValidationError

from core.errors import BadInput
from core.events.dataworks import CODES, TYPES, DataWorksEvent
from core.events.openlineage import LineageEvent, lineage_model
from core.events.values import PLATFORM_ZONE, Time
from core.events.wire import parse, safe
from core.redact import clean, mask

DATAWORKS = "acs.dataworks"
OPENLINEAGE = "openlineage"

LONGEST_ID = 512
KEPT_OF_UNREADABLE = 16_384
"""Characters kept of something that is not an event."""

_TIME: TypeAdapter[datetime | None] = TypeAdapter(Time)


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event, or the remains of one.

    Attributes:
        source: who sent it; with `id` the key that a redelivery repeats.
        id: unique within the source.
        type: the platform's type; empty for something that is not an event.
        at: when the platform changed what this is about (`modifyTime`), or else when the event was made. By the platform's
            clock, which is the only one that puts its events in order; ours is not asked.
        received_at: when it came, by our clock.
        payload: the envelope as JSON, cleaned and masked; of something that is not an event, its beginning.
        body: the typed message; None when nobody knows the type.
        trouble: what could not be read; with no body and no type, why this is not an event.
    """

    source: str
    id: str
    type: str
    at: datetime
    received_at: datetime
    payload: str
    body: DataWorksEvent | LineageEvent | None = None
    trouble: str = ""

    @property
    def state(self) -> str:
        """`stored`, `unknown` for a type nobody knows, `dead` for something that is not an event."""
        if self.body is not None:
            return "stored"
        return "unknown" if self.type else "dead"


def read_event(source: str, value: object, received_at: datetime, zone: ZoneInfo = PLATFORM_ZONE) -> Incoming:
    """An event out of parsed JSON, by where it came from; what is not one is marked as dead, never raised.

    Args:
        source: `OPENLINEAGE`, or anything else for DataWorks' envelopes.
        value: as `core.events.wire.parse` returned it.
        received_at: when it came.
        zone: zone of times that are written without one.
    """
    try:
        envelope = safe(value)
        if not isinstance(envelope, dict):
            raise BadInput("not a JSON object")
        read = _lineage if source == OPENLINEAGE else _dataworks
        return read(cast("dict[str, Any]", envelope), received_at, zone)
    except BadInput as error:
        return unreadable(source, _text(value), str(error), received_at)


def reread_event(source: str, payload: str, received_at: datetime, zone: ZoneInfo = PLATFORM_ZONE) -> Incoming:
    """An event out of what was stored of it."""
    try:
        return read_event(source, parse(payload), received_at, zone)
    except BadInput as error:
        return unreadable(source, payload, str(error), received_at)


def unreadable(source: str, text: str, reason: str, received_at: datetime) -> Incoming:
    """Something that is no event, kept so that somebody can look at it. The same bytes have the same id."""
    id = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    kept = mask(clean(text[:KEPT_OF_UNREADABLE]))
    return Incoming(source, id, "", received_at, received_at, kept, trouble=reason)


def _text(value: object) -> str:
    try:
        return json.dumps(value, default=str, ensure_ascii=False)
    except RecursionError:
        return "nested too deeply to be kept"


def _dataworks(envelope: dict[str, Any], received_at: datetime, zone: ZoneInfo) -> Incoming:
    id = envelope.get("id") or envelope.get("messageId")
    data = _message(envelope)
    named, code = str(envelope.get("type") or ""), str(data.get("eventCode") or envelope.get("eventType") or "")
    model = TYPES.get(named) or CODES.get(code)
    if not (named or code):
        raise BadInput("neither a type nor an eventCode")
    body, trouble = _typed(model, data, zone) if model else (None, "")
    at = (body and body.at) or _TIME.validate_python(envelope.get("time"), context={"zone": zone}) or received_at
    source = str(envelope.get("source") or DATAWORKS)[:LONGEST_ID]
    type_ = model.type if model else (named or code)[:LONGEST_ID]
    return Incoming(source, _id(id), type_, at, received_at, orjson.dumps(envelope).decode(), body, trouble)


def _message(envelope: dict[str, Any]) -> dict[str, Any]:
    """The message in its envelope, with what Function Compute tells beside it. It may be JSON within JSON."""
    data = envelope.get("data", envelope.get("messageBody"))
    if isinstance(data, str):
        data = safe(parse(data))
    if not isinstance(data, dict):
        raise BadInput("no message in the envelope")
    beside = {
        name: envelope[name] for name in ("blockBusiness", "extensionBizId", "eventCategoryType") if name in envelope
    }
    return {**beside, **cast("dict[str, Any]", data)}


def _typed(model: type[DataWorksEvent], data: dict[str, Any], zone: ZoneInfo) -> tuple[DataWorksEvent, str]:
    """The model of a message. A field that is not what the reference says is left out, and named."""
    context = {"zone": zone}
    try:
        return model.model_validate(data, context=context), ""
    except ValidationError as error:
        wrong = {str(entry["loc"][0]) for entry in error.errors()}
    rest = {name: value for name, value in data.items() if name not in wrong}
    return model.model_validate(rest, context=context), f"not as described: {', '.join(sorted(wrong))}"


def _lineage(envelope: dict[str, Any], received_at: datetime, zone: ZoneInfo) -> Incoming:
    try:
        body = lineage_model(envelope).model_validate(envelope, context={"zone": zone})
    except ValidationError as error:
        fields = sorted({".".join(map(str, entry["loc"])) for entry in error.errors()})
        raise BadInput(f"not an OpenLineage event: {', '.join(fields)}") from error
    payload = orjson.dumps(envelope).decode()
    id = body.key or hashlib.sha256(payload.encode()).hexdigest()[:32]
    return Incoming(OPENLINEAGE, _id(id), body.type, body.at or received_at, received_at, payload, body)


def _id(value: object) -> str:
    id = str(value or "")
    if not 0 < len(id) <= LONGEST_ID:
        raise BadInput("no id, or one of more than 512 characters")
    return id
