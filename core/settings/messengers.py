"""Messengers, each off while its first value is empty."""

import re
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from core.settings.section import Secret, Section

AES_KEY = re.compile(r"[A-Za-z0-9]{43}")


class Feishu(Section):
    """A self-built Feishu app. Off while `app_id` is empty."""

    app_id: str = ""
    app_secret: Secret = SecretStr("")
    mode: Literal["stream", "webhook"] = "stream"
    """`stream`, Feishu's long connection, needs no public address, and neither of the two secrets below."""
    encrypt_key: Secret = SecretStr("")
    verification_token: Secret = SecretStr("")
    domain: str = "https://open.feishu.cn"
    bot_open_id: str = ""
    """`open_id` of the bot itself, to tell mentions of it from others; looked up at start when empty."""
    calls_per_second: float = Field(default=50, gt=0)
    calls_per_minute: float = Field(default=1000, gt=0)
    calls_per_chat: float = Field(default=5, gt=0)
    """How fast we call Feishu at most: its limits for an app, and a second in one chat. Raise them if yours are higher."""
    heartbeat_seconds: float = Field(default=20, gt=0)
    """`stream` only: how often the connection is probed. One that is silent for half as long is replaced."""

    @model_validator(mode="after")
    def _complete(self) -> "Feishu":
        needed = ("app_secret",) if self.mode == "stream" else ("app_secret", "encrypt_key", "verification_token")
        missing = [name for name in needed if not getattr(self, name).get_secret_value()]
        if self.app_id and missing:
            raise ValueError(f"feishu.app_id is set, so these are needed too: {', '.join(missing)}")
        return self


class DingTalk(Section):
    """An internal DingTalk app with a robot. Off while `client_id` is empty."""

    client_id: str = ""
    client_secret: Secret = SecretStr("")
    robot_code: str = ""
    """Code of the robot; the same as `client_id` unless the console shows another."""
    corp_id: str = ""
    """The company's id, `ding…`; with it the page knows people who open it inside DingTalk."""
    card_template_id: str = ""
    """Id (`….schema`) of the imported template `deploy/dingtalk/card.json`; without it answers are plain messages."""
    mode: Literal["stream", "http"] = "stream"
    """`stream` needs no public address; `http` needs `server.public_url` and the addresses of docs/dingtalk.md."""
    api: str = "https://api.dingtalk.com"
    oapi: str = "https://oapi.dingtalk.com"
    """Hosts of the two generations of its API. Replies to robots go nowhere else, whatever a message says."""
    calls_per_second: float = Field(default=15, gt=0)
    """How fast we call DingTalk at most; its standard tier allows 20 a second for each call."""
    idle_seconds: float = Field(default=180, gt=0)
    """A connection on which DingTalk said nothing for so long is replaced."""

    @model_validator(mode="after")
    def _complete(self) -> "DingTalk":
        if self.client_id and not self.client_secret.get_secret_value():
            raise ValueError("dingtalk.client_id is set, so client_secret is needed too")
        return self


class WeCom(Section):
    """A self-built WeCom app: private chats. Off while `corp_id` is empty."""

    corp_id: str = ""
    agent_id: int = Field(default=0, ge=0)
    secret: Secret = SecretStr("")
    callback_token: Secret = SecretStr("")
    encoding_aes_key: Secret = SecretStr("")
    """The 43 characters that the console makes."""
    api: str = "https://qyapi.weixin.qq.com"
    sign_on: str = "https://open.weixin.qq.com/connect/oauth2/authorize"
    """WeCom's own page that names a person to ours; the app's trusted domain must be that of `server.public_url`."""
    per_member_minute: int = Field(default=28, ge=1)
    per_member_hour: int = Field(default=950, ge=1)
    """How many messages one member gets at most; WeCom drops what exceeds 30 a minute or 1000 an hour without a word."""

    @model_validator(mode="after")
    def _complete(self) -> "WeCom":
        needed = ("secret", "callback_token", "encoding_aes_key")
        missing = [name for name in needed if not getattr(self, name).get_secret_value()]
        missing += [] if self.agent_id else ["agent_id"]
        if self.corp_id and missing:
            raise ValueError(f"wecom.corp_id is set, so these are needed too: {', '.join(missing)}")
        _check_aes_key("wecom", self.encoding_aes_key)
        return self


class WeComBot(Section):
    """A WeCom AI bot (智能机器人): private chats and groups that mention it. Off while `bot_id` is empty."""

    bot_id: str = ""
    mode: Literal["stream", "webhook"] = "stream"
    """`stream`, the long connection, needs no public address and can speak first; `webhook` needs both keys below."""
    secret: Secret = SecretStr("")
    """Of the long connection; not the secret of an app."""
    callback_token: Secret = SecretStr("")
    encoding_aes_key: Secret = SecretStr("")
    name: str = ""
    """What people call it; taken off the front of messages in groups, where WeCom writes `@name`."""
    url: str = "wss://openws.work.weixin.qq.com"
    replies: str = "https://qyapi.weixin.qq.com/"
    """Answers of the webhook go to addresses that begin so and nowhere else, whatever a message says."""
    per_chat_minute: int = Field(default=28, ge=1)
    per_chat_hour: int = Field(default=950, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> "WeComBot":
        needed = ("secret",) if self.mode == "stream" else ("callback_token", "encoding_aes_key")
        missing = [name for name in needed if not getattr(self, name).get_secret_value()]
        if self.bot_id and missing:
            raise ValueError(f"wecom_bot.bot_id is set, so these are needed too: {', '.join(missing)}")
        _check_aes_key("wecom_bot", self.encoding_aes_key)
        return self


def _check_aes_key(section: str, key: SecretStr) -> None:
    if key.get_secret_value() and not AES_KEY.fullmatch(key.get_secret_value()):
        raise ValueError(f"{section}.encoding_aes_key must be the 43 letters and digits that the console shows")
