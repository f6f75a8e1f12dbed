"""WeCom's own page that names whoever opens it to a page of the company, and the codes it gives for that.

Source: developer.work.weixin.qq.com, 构造网页授权链接, 获取访问用户身份. The page works only in WeCom's own browser and
for the app's trusted domain; what is wrong is told to the person and never to the company's page.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web
from yarl import URL

CODE_SECONDS = 300
STATE = re.compile(r"[a-zA-Z0-9]{0,128}")


class SignOnPage:
    """Gives codes, each good once and for five minutes.

    Attributes:
        visitor: userid of the member in front of the browser; of no member, for someone from outside.
        trusted: the app's trusted domain, with its port.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.visitor = "ann"
        self.trusted = ""
        self._clock = clock
        self._codes: dict[str, tuple[str, float]] = {}

    def code(self, user: str) -> str:
        """A code of this person."""
        made = secrets.token_urlsafe(32)
        self._codes[made] = user, self._clock() + CODE_SECONDS
        return made

    def redeem(self, code: str) -> str | None:
        """Whose code this is, once."""
        user, until = self._codes.pop(code, ("", 0.0))
        return user if self._clock() < until else None

    def answer(self, asked: Any, *, corp_id: str, agent_id: int, agent: str) -> web.Response:
        """Send the browser back with a code, or say what is wrong.

        Args:
            asked: the query.
            corp_id: of the company.
            agent_id: of the app.
            agent: the browser's `User-Agent`.
        """
        back = URL(asked.get("redirect_uri", ""))
        state = asked.get("state", "")
        problems = {
            "请在企业微信客户端打开链接": "wxwork" not in agent.lower(),
            "appid 参数错误": asked.get("appid") != corp_id or asked.get("agentid") != str(agent_id),
            "scope 参数错误": (asked.get("response_type"), asked.get("scope")) != ("code", "snsapi_base"),
            "state 参数错误": not STATE.fullmatch(state),
            "redirect_uri 需使用应用可信域名": back.authority != self.trusted,
        }
        wrong = [problem for problem, is_so in problems.items() if is_so]
        if wrong:
            return web.Response(text=f"<!doctype html><p>{wrong[0]}</p>", content_type="text/html")
        location = str(back.update_query(code=self.code(self.visitor), state=state))
        return web.Response(status=302, headers={"Location": location})
