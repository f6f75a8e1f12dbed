"""Settings: a TOML file, then environment variables over it, checked once at start.

`xops.toml` in the working directory, or the file named by `XOPS_SETTINGS`. Any value can be given as an environment
variable: `XOPS_FEISHU__APP_SECRET` is `app_secret` in `[feishu]`. Secrets never print. docs/configuration.md lists all.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.errors import ConfigurationError

Role = Literal["viewer", "operator", "admin"]
Language = Literal["zh-CN", "zh-TW", "en"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]

AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
WEAK_SECRETS = frozenset({"secret", "changeme", "change-me", "password", "admin", "token", "test", "123456", "xops"})


def _strong(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and (text.lower() in WEAK_SECRETS or len(text) < 8):
        raise ValueError("is a default or too short to be a secret: use at least 8 characters nobody can guess")
    return value


Secret = Annotated[SecretStr, AfterValidator(_strong)]


class _Section(BaseModel):
    """Unknown keys are refused, so that a misspelt one is found at start and not at 3 a.m."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Server(_Section):
    """The HTTP server that serves the web page and receives webhooks."""

    host: str = "127.0.0.1"
    """Where it listens; `0.0.0.0` in a container."""
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    """Address people's phones reach, e.g. `https://xops.example.com`; used in links on cards."""
    body_limit: int = Field(default=1_048_576, ge=1024)
    """Largest request body in bytes; larger ones get 413."""


class Storage(_Section):
    """Where things are kept: `sqlite:///path` or `postgresql://user:password@host/database`."""

    url: SecretStr = SecretStr("sqlite:///data/xops.sqlite")
    lease_seconds: float = Field(default=15.0, gt=0)
    """A replica silent for this long is taken for dead, and its work is taken over."""


class Model(_Section):
    """The language model. Without one, the built-in rules choose the tools.

    Any OpenAI-compatible endpoint needs `base_url`, `name` and `api_key`. For other providers set `provider` to what
    `langchain.chat_models.init_chat_model` calls `model_provider`, and install its package.
    """

    name: str = ""
    mode: Literal["tools", "router"] = "tools"
    """`tools`: the model calls tools, reads their results, and may explain a diagnosis. `router`: it is asked once, for one
    tool and its arguments as JSON, and writes nothing a person reads: right for small local models (about 1.5B), whose server
    must take `response_format` with a JSON schema (llama.cpp, vLLM)."""
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    provider: str = "openai"
    timeout_seconds: float = Field(default=30.0, gt=0)
    """For one call of the model."""
    turn_seconds: float = Field(default=60.0, gt=0)
    """For a whole answer; then the built-in rules answer."""
    turn_steps: int = Field(default=6, ge=1, le=30)
    """Most calls of the model in one answer. 1 lets it choose the tools and say nothing more."""
    turn_tokens: int = Field(default=30_000, ge=500)
    """Most tokens, in and out, in one answer."""


class SchedulerConnection(_Section):
    """One scheduler. `kind` decides which of the other values are needed."""

    name: Name
    """Short name of the connection, shown on cards; begins references such as `prod:…`."""
    kind: Literal["simulated", "airflow"]
    """`airflow`, or `simulated` for the demonstration."""
    url: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    zone: str = ""
    """Zone in which its days begin; the general one when empty."""
    timeout_seconds: float = Field(default=15.0, gt=0)
    seed: int = 20
    """`simulated` only: which night."""
    speed: float = Field(default=60.0, gt=0)
    """`simulated` only: how many times faster than real time a rerun goes."""

    @model_validator(mode="after")
    def _complete(self) -> "SchedulerConnection":
        if self.kind == "airflow" and not self.url:
            raise ValueError(f"scheduler {self.name}: kind 'airflow' needs url, e.g. http://airflow.example.com:8080")
        if self.kind == "airflow" and not (self.token.get_secret_value() or self.username):
            raise ValueError(f"scheduler {self.name}: give username and password, or token")
        return self


class Feishu(_Section):
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


class DingTalk(_Section):
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


class WeCom(_Section):
    """A self-built WeCom app: private chats. Off while `corp_id` is empty."""

    corp_id: str = ""
    agent_id: int = Field(default=0, ge=0)
    secret: Secret = SecretStr("")
    callback_token: Secret = SecretStr("")
    encoding_aes_key: Secret = SecretStr("")
    """The 43 characters that the console makes."""
    api: str = "https://qyapi.weixin.qq.com"
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


class WeComBot(_Section):
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


class Web(_Section):
    """The page `/mobile/ops/chat`."""

    sign_on_token: Secret = SecretStr("")
    """Long random token that signs a person on; when empty, one is made at each start and printed once."""
    person: str = "demo"
    """Name of the person (in `people`) that the sign-on token stands for."""
    session_hours: float = Field(default=12.0, gt=0)


class PersonSettings(_Section):
    """Someone with rights. Whoever is not listed may look at nothing but the help, and change nothing."""

    name: str = Field(min_length=1, max_length=80)
    role: Role = "viewer"
    """`viewer` looks, `operator` may rerun and freeze, `admin` may also set success, stop and backfill."""
    projects: tuple[str, ...] = ()
    """Projects they may operate, `*` for all, or `scheduler:project`."""
    owners: tuple[str, ...] = ()
    """Names under which schedulers list them as an owner."""
    identities: dict[str, str] = Field(default_factory=dict[str, str])
    """Channel name to the person's id there, e.g. `feishu = "ou_…"`."""
    language: Language | Literal[""] = ""


def _demo_people() -> tuple[PersonSettings, ...]:
    return (
        PersonSettings(
            name="demo",
            role="operator",
            projects=("*",),
            owners=("陈晓雯",),
        ),
    )


def _demo_schedulers() -> tuple[SchedulerConnection, ...]:
    return (SchedulerConnection(name="demo", kind="simulated"),)


class Settings(BaseSettings):
    """Everything that can be configured. The default is the embedded demonstration: no account, no model, no server."""

    model_config = SettingsConfigDict(
        env_prefix="XOPS_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    language: Language = "zh-CN"
    """What people read, unless they or their messenger say otherwise: `zh-CN`, `zh-TW`, `en`."""
    zone: str = "Asia/Shanghai"
    """Zone of the times shown, and of days."""
    server: Server = Server()
    storage: Storage = Storage()
    model: Model = Model()
    schedulers: tuple[SchedulerConnection, ...] = Field(default_factory=_demo_schedulers)
    feishu: Feishu = Feishu()
    dingtalk: DingTalk = DingTalk()
    wecom: WeCom = WeCom()
    wecom_bot: WeComBot = WeComBot()
    web: Web = Web()
    people: tuple[PersonSettings, ...] = Field(default_factory=_demo_people)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        for zone in {self.zone, *(c.zone for c in self.schedulers if c.zone)}:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError(f"zone {zone!r} is not known: use a name such as Asia/Shanghai") from error
        for kind, names in (
            ("schedulers", [c.name for c in self.schedulers]),
            ("people", [p.name for p in self.people]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind}: the name {', '.join(twice)} is used twice")
        if self.dingtalk.client_id and self.dingtalk.mode == "http" and not self.server.public_url:
            raise ValueError("dingtalk.mode is 'http', so server.public_url is needed: DingTalk must reach this server")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit values, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_path())


def settings_path() -> Path:
    """The settings file in use; it need not exist unless `XOPS_SETTINGS` names it."""
    return Path(os.environ.get("XOPS_SETTINGS", "xops.toml"))


def load_settings() -> Settings:
    """Read and check the settings.

    Raises:
        ConfigurationError: with one line for each problem, naming the value and what to do; never the value itself.
    """
    if "XOPS_SETTINGS" in os.environ and not settings_path().is_file():
        raise ConfigurationError(f"XOPS_SETTINGS names {settings_path()}, which is not a file")
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in e['loc']) or 'settings'}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError("\n".join(lines)) from error
    except ValueError as error:  # the file is not TOML
        raise ConfigurationError(f"{settings_path()}: {error}") from error
