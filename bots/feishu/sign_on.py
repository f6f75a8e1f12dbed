"""Signing on inside Feishu: the page's script gives a code, Feishu says whose it is.

Sources: open.feishu.cn, "requestAccess", "获取 user_access_token" (v2), "获取用户信息". The `open_id` is the person's id in
this app, as in messages; name and e-mail address count for nothing, since Feishu does not vouch for them.
"""

from collections.abc import Mapping

from bots.feishu.client import checked
from core.errors import Refused
from core.http import Http
from core.settings import Feishu

AGENT = "lark"
"""In the `User-Agent` of Feishu's and Lark's web view, on phones and computers."""

SDK = "https://lf1-cdn-tos.bytegoofy.com/goofy/lark/op/h5-js-sdk-1.5.23.js"
"""Feishu's script for pages, and with it the one foreign host that the page trusts inside Feishu."""


async def identify(settings: Feishu, http: Http, code: str) -> str:
    """The `open_id` of the person whose client gave this code. A code works once, within three minutes.

    Raises:
        RemoteError: Feishu does not know the code, or does not answer.
    """
    given = {
        "grant_type": "authorization_code",
        "client_id": settings.app_id,
        "client_secret": settings.app_secret.get_secret_value(),
        "code": code,
    }
    api = f"{settings.domain}/open-apis/authen"
    granted = checked(await http.request("POST", f"{api}/v2/oauth/token", system="feishu", json=given, timeout=10))
    bearer = {"Authorization": f"Bearer {granted.get('access_token')}"}
    answer = checked(await http.request("GET", f"{api}/v1/user_info", system="feishu", headers=bearer, timeout=10))
    told: Mapping[str, object] = answer.get("data") or {}
    open_id = told.get("open_id")
    if not isinstance(open_id, str) or not open_id:
        raise Refused("feishu did not say who it is", system="feishu")
    return open_id
