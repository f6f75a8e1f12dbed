"""What tools post to a group's custom robot, as plain text; and what that robot would answer.

DingTalk: text, markdown, link, actionCard, feedCard. WeCom: text, markdown, markdown_v2, news, template_card. Feishu: text,
post, interactive. Pictures, files and voices have no text. Sources: open.dingtalk.com, "custom-robot-access";
developer.work.weixin.qq.com, path 91770; open.feishu.cn, "custom-bot".
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from core.errors import BadInput
from core.events.wire import parse
from core.redact import clean

LONGEST = 100_000
"""Characters of the longest message; the platforms themselves take a fifth of that."""

DEEPEST = 20
"""Levels of the deepest card."""

Json = Mapping[str, Any]

ANSWERS: Mapping[str, Json] = {
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"},
}
"""What each vendor's robot says when it has posted a message."""


def robot_text(vendor: str, body: bytes) -> str:
    """The text of a message; empty when it has none.

    Args:
        vendor: `dingtalk`, `wecom` or `feishu`.
        body: as the tool posted it.

    Raises:
        BadInput: not a message as that vendor's robot takes it.
    """
    message = parse(body)
    if not isinstance(message, dict):
        raise BadInput("not a JSON object")
    lines = _READERS[vendor](cast("dict[str, Any]", message))
    return clean("\n".join(line for line in lines if line.strip()))[:LONGEST].strip()


def _dingtalk(message: Json) -> Iterator[str]:
    kind = _kind(message, "msgtype", "msgType")
    said = _object(message.get(kind, {}))
    match kind:
        case "text":
            yield _text(said, "content")
        case "markdown" | "actionCard" | "link":
            yield _text(said, "title")
            yield _text(said, "text")
        case "feedCard":
            for link in _objects(said.get("links")):
                yield _text(link, "title")
        case _:
            return


def _wecom(message: Json) -> Iterator[str]:
    kind = _kind(message, "msgtype")
    said = _object(message.get(kind, {}))
    match kind:
        case "text" | "markdown" | "markdown_v2":
            yield _text(said, "content")
        case "news":
            for article in _objects(said.get("articles")):
                yield _text(article, "title")
                yield _text(article, "description")
        case "template_card":
            yield from _wecom_card(said)
        case _:
            return


def _wecom_card(card: Json) -> Iterator[str]:
    for part in ("main_title", "emphasis_content"):
        yield _text(_object(card.get(part)), "title")
        yield _text(_object(card.get(part)), "desc")
    yield _text(card, "sub_title_text")
    for entry in _objects(card.get("vertical_content_list")):
        yield _text(entry, "title")
        yield _text(entry, "desc")
    for entry in _objects(card.get("horizontal_content_list")):
        yield f"{_text(entry, 'keyname')}: {_text(entry, 'value')}"
    quote = _object(card.get("quote_area"))
    yield _text(quote, "title")
    yield _text(quote, "quote_text")


def _feishu(message: Json) -> Iterator[str]:
    kind = _kind(message, "msg_type")
    said = _object(message.get("content"))
    match kind:
        case "text":
            yield _text(said, "text")
        case "post":
            for post in _object(said.get("post", said)).values():
                yield _text(_object(post), "title")
                yield from (_inline(line) for line in _list(_object(post).get("content")))
        case "interactive":
            yield from _feishu_card(_object(message.get("card", message.get("content"))))
        case _:
            return


def _feishu_card(card: Json) -> Iterator[str]:
    header = _object(card.get("header"))
    yield _text(_object(header.get("title")), "content")
    body = _object(card.get("body"))
    yield from _feishu_elements(_list(card.get("elements", body.get("elements"))), 0)


def _feishu_elements(elements: list[Any], depth: int) -> Iterator[str]:
    """Texts in reading order; buttons, pictures and links are left out."""
    if depth > DEEPEST:
        raise BadInput("nested too deeply")
    for element in map(_object, elements):
        if element.get("tag") in ("action", "button", "img"):
            continue
        yield _text(element, "content")
        yield _text(_object(element.get("text")), "content")
        for inner in ("fields", "columns", "elements"):
            yield from _feishu_elements(_list(element.get(inner)), depth + 1)


def _inline(line: object) -> str:
    """One paragraph of a post: its pieces belong on one line."""
    return "".join(_text(piece, "text") or _text(piece, "user_name") for piece in _objects(line))


_READERS = {"dingtalk": _dingtalk, "wecom": _wecom, "feishu": _feishu}


def _kind(message: Json, *names: str) -> str:
    kind = next((message[name] for name in names if name in message), None)
    if not isinstance(kind, str):
        raise BadInput(f"a message without {names[0]}")
    return kind


def _object(value: object) -> Json:
    """A JSON object, also one that was written as text; empty when it is none."""
    if isinstance(value, str) and value.startswith("{"):
        value = parse(value)
    return cast("Json", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _objects(value: object) -> list[Json]:
    return [_object(entry) for entry in _list(value)]


def _text(value: Json, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
