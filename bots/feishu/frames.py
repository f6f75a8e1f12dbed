"""The frames of Feishu's long connection: two small Protocol Buffers messages, read and written here.

    message Header { required string key = 1; required string value = 2; }
    message Frame {
      required uint64 SeqID = 1;   required uint64 LogID = 2;   required int32 service = 3;   required int32 method = 4;
      repeated Header headers = 5; optional string payload_encoding = 6; optional string payload_type = 7;
      optional bytes payload = 8;  optional string LogIDNew = 9;
    }

Source: `pbbp2.proto` inside the vendor's SDK. The tests let the SDK's own classes read what is written here, and the
other way round.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.errors import BadInput

CONTROL, DATA = 0, 1
"""Kinds of frames, in `Frame.method`."""

INCOMPLETE = 64
"""Payloads that may be waited for at a time; the one that waits longest is forgotten first, and brought again by Feishu."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. An answer is the frame it answers, with another payload and one header more.

    Attributes:
        method: `CONTROL` for pings and pongs, `DATA` for events and clicks.
        service: number of the service, from the address of the connection.
        headers: `type`, `message_id`, `sum`, `seq` …
        payload: JSON, or a part of it.
        sequence: given by Feishu.
        log: given by Feishu.
        texts: `payload_encoding`, `payload_type` and `LogIDNew` by their field numbers, as they came.
    """

    method: int
    service: int
    headers: Mapping[str, str]
    payload: bytes = b""
    sequence: int = 0
    log: int = 0
    texts: Mapping[int, bytes] = field(default_factory=dict[int, bytes])


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    numbers = ((1, frame.sequence), (2, frame.log), (3, frame.service), (4, frame.method))
    headers = (_part(1, key.encode()) + _part(2, value.encode()) for key, value in frame.headers.items())
    return b"".join(
        [
            *(_tag(number, _VARINT) + _varint(value) for number, value in numbers),
            *(_part(5, header) for header in headers),
            *(_part(number, text) for number, text in frame.texts.items()),
            _part(8, frame.payload),
        ]
    )


def decode(data: bytes) -> Frame:
    """The frame in some bytes; fields that are not known are passed over.

    Raises:
        BadInput: these are not the bytes of a frame.
    """
    numbers: dict[int, int] = {}
    texts: dict[int, bytes] = {}
    headers: dict[str, str] = {}
    for number, value in _fields(data):
        if isinstance(value, int):
            numbers[number] = value
        elif number == 5:
            key, said = _header(value)
            headers[key] = said
        else:
            texts[number] = value
    return Frame(
        method=numbers.get(4, -1),
        service=numbers.get(3, 0),
        headers=headers,
        payload=texts.pop(8, b""),
        sequence=numbers.get(1, 0),
        log=numbers.get(2, 0),
        texts={number: text for number, text in texts.items() if number in {6, 7, 9}},
    )


class Chunks:
    """Puts payloads together that came in several frames.

    Args:
        limit: largest payload in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: OrderedDict[tuple[str, int], dict[int, bytes]] = OrderedDict()

    def whole(self, frame: Frame) -> bytes | None:
        """The payload this frame completes; None while other parts are missing.

        Raises:
            BadInput: its numbers make no sense, or the payload is beyond the limit.
        """
        total, place = _count(frame, "sum", 1), _count(frame, "seq", 0)
        if total <= 1:
            return frame.payload
        if place >= total:
            raise BadInput("a part of a payload beyond its end")
        return self._joined((frame.headers.get("message_id", ""), total), place, frame.payload)

    def _joined(self, which: tuple[str, int], place: int, payload: bytes) -> bytes | None:
        parts = self._waiting.setdefault(which, {})
        parts[place] = payload
        if sum(map(len, parts.values())) > self._limit:
            del self._waiting[which]
            raise BadInput("a payload larger than the limit")
        if len(parts) == which[1]:
            del self._waiting[which]
            return b"".join(parts[at] for at in range(which[1]))
        if len(self._waiting) > INCOMPLETE:
            self._waiting.popitem(last=False)
        return None


def _count(frame: Frame, header: str, default: int) -> int:
    text = frame.headers.get(header, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise BadInput(f"the frame's {header} is not a number")
    return int(text)


def _header(data: bytes) -> tuple[str, str]:
    parts = dict(_fields(data))
    key, value = parts.get(1, b""), parts.get(2, b"")
    if isinstance(key, int) or isinstance(value, int):
        raise BadInput("a header of the frame is not text")
    return key.decode(errors="replace"), value.decode(errors="replace")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of every field, whatever message this is."""
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _number(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _number(data, at)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise BadInput("the frame has a field of an unknown kind")
        if at + length > len(data):
            raise BadInput("the frame is cut off")
        yield number, data[at : at + length]
        at += length


def _number(data: bytes, at: int) -> tuple[int, int]:
    """The variable-length number at a place, and where it ends."""
    value = 0
    for position in range(at, min(at + 10, len(data))):
        byte = data[position]
        value |= (byte & 0x7F) << 7 * (position - at)
        if byte < 0x80:
            return value, position + 1
    raise BadInput("a number of the frame has no end")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _part(number: int, content: bytes) -> bytes:
    return _tag(number, _BYTES) + _varint(len(content)) + content
