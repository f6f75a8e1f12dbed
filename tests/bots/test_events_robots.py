"""What tools post to a group robot is heard, whichever of three platforms they write for."""

import json

import pytest

from tests.bots.conftest import OpenSite
from tests.bots.events_site import ROBOT

ROBOT_MESSAGES = [
    (
        "dingtalk",
        {"msgtype": "text", "text": {"content": "load_orders failed"}, "at": {"isAtAll": True}},
        "load_orders failed",
    ),
    (
        "dingtalk",
        {"msgtype": "markdown", "markdown": {"title": "Failed", "text": "#### load\n> 02:10"}},
        "Failed\n#### load\n> 02:10",
    ),
    (
        "dingtalk",
        {"msgtype": "actionCard", "actionCard": {"title": "A", "text": "b", "btns": [{"title": "Open"}]}},
        "A\nb",
    ),
    ("dingtalk", {"msgtype": "link", "link": {"title": "A", "text": "b", "messageUrl": "https://x"}}, "A\nb"),
    ("dingtalk", {"msgtype": "feedCard", "feedCard": {"links": [{"title": "A"}, {"title": "B"}]}}, "A\nB"),
    (
        "wecom",
        {"msgtype": "markdown", "markdown": {"content": '<font color="warning">load</font> failed'}},
        '<font color="warning">load</font> failed',
    ),
    ("wecom", {"msgtype": "markdown_v2", "markdown_v2": {"content": "|a|b|"}}, "|a|b|"),
    (
        "wecom",
        {"msgtype": "news", "news": {"articles": [{"title": "A", "description": "b", "url": "https://x"}]}},
        "A\nb",
    ),
    (
        "wecom",
        {
            "msgtype": "template_card",
            "template_card": {
                "card_type": "text_notice",
                "main_title": {"title": "Failed", "desc": "load_orders"},
                "sub_title_text": "since 02:10",
                "horizontal_content_list": [{"keyname": "Owner", "value": "Chen"}],
            },
        },
        "Failed\nload_orders\nsince 02:10\nOwner: Chen",
    ),
    ("feishu", {"msg_type": "text", "content": {"text": "load_orders failed"}}, "load_orders failed"),
    ("feishu", {"msg_type": "text", "content": '{"text": "load_orders failed"}'}, "load_orders failed"),
    (
        "feishu",
        {
            "msg_type": "post",
            "content": {
                "post": {
                    "zh_cn": {
                        "title": "Failed",
                        "content": [
                            [{"tag": "text", "text": "task "}, {"tag": "a", "text": "load", "href": "https://x"}],
                            [{"tag": "at", "user_id": "all", "user_name": "everyone"}],
                        ],
                    }
                }
            },
        },
        "Failed\ntask load\neveryone",
    ),
    (
        "feishu",
        {
            "msg_type": "interactive",
            "card": {
                "header": {"title": {"tag": "plain_text", "content": "Failed"}},
                "elements": [
                    {
                        "tag": "div",
                        "text": {"tag": "lark_md", "content": "**load**"},
                        "fields": [{"text": {"content": "02:10"}}],
                    },
                    {"tag": "markdown", "content": "see log"},
                    {"tag": "note", "elements": [{"tag": "plain_text", "content": "from grafana"}]},
                    {"tag": "action", "actions": [{"tag": "button", "text": {"content": "Open"}}]},
                ],
            },
        },
        "Failed\n**load**\n02:10\nsee log\nfrom grafana",
    ),
    (
        "feishu",
        {
            "msg_type": "interactive",
            "card": {"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "v2"}]}},
        },
        "v2",
    ),
]


@pytest.mark.parametrize(("vendor", "message", "text"), ROBOT_MESSAGES)
async def test_a_robots_messages_are_heard(
    open_site: OpenSite, vendor: str, message: dict[str, object], text: str
) -> None:
    """Every kind that a group robot takes, answered as that platform answers."""
    site = await open_site()
    status, answer = await site.post(f"/hooks/{vendor}/{ROBOT}", json.dumps(message).encode())
    assert (status, site.heard) == (200, [("grafana", text)])
    assert answer["code" if vendor == "feishu" else "errcode"] == 0


@pytest.mark.parametrize(
    ("vendor", "message"),
    [
        ("dingtalk", {"msgtype": "image", "image": {}}),
        ("wecom", {"msgtype": "image", "image": {"base64": "", "md5": ""}}),
        ("wecom", {"msgtype": "file", "file": {"media_id": "1"}}),
        ("feishu", {"msg_type": "image", "content": {"image_key": "img"}}),
        ("feishu", {"msg_type": "post", "content": {"post": "?"}}),
        ("dingtalk", {"msgtype": "text", "text": {"content": ["?"]}}),
    ],
)
async def test_a_message_without_text_is_acknowledged(
    open_site: OpenSite, vendor: str, message: dict[str, object]
) -> None:
    """There is nothing to hear, and nothing for the tool to do about it."""
    site = await open_site()
    assert (await site.post(f"/hooks/{vendor}/{ROBOT}", json.dumps(message).encode()))[0] == 200
    assert site.heard == []


async def test_a_tool_that_signs_its_address_is_known(open_site: OpenSite) -> None:
    """DingTalk's clients append a signature to what they take for an address with a query."""
    site = await open_site()
    body = json.dumps(ROBOT_MESSAGES[0][1]).encode()
    for path in (f"/hooks/dingtalk/{ROBOT}&timestamp=1&sign=x", f"/hooks/dingtalk/{ROBOT}?timestamp=1&sign=x"):
        assert (await site.post(path, body))[0] == 200
    assert (await site.post("/hooks/dingtalk/robot-key-of-zabbix", body))[0] == 200
    assert [tool for tool, _ in site.heard] == ["grafana", "grafana", "zabbix"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/hooks/dingtalk/another-key", b"{}", 401),
        (f"/hooks/dingtalk/{ROBOT}", b"{}", 400),
        (f"/hooks/feishu/{ROBOT}", b"text", 400),
        (f"/hooks/wecom/{ROBOT}", b"[]", 400),
        (f"/hooks/slack/{ROBOT}", b"{}", 404),
    ],
)
async def test_a_robot_takes_only_its_own(open_site: OpenSite, path: str, body: bytes, status: int) -> None:
    """Wrong keys, wrong shapes, unknown platforms."""
    site = await open_site()
    async with site.session.post(site.address + path, data=body) as answer:
        assert answer.status == status
    assert site.heard == []


async def test_a_robot_without_room_says_so(open_site: OpenSite) -> None:
    """The tool tries again; nothing was acknowledged that nobody heard."""
    site = await open_site()
    site.busy = True
    assert (await site.post(f"/hooks/feishu/{ROBOT}", json.dumps(ROBOT_MESSAGES[9][1]).encode()))[0] == 429
