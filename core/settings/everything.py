"""Settings: a TOML file, then environment variables over it, checked once at start.

`xops.toml` in the working directory, or the file named by `XOPS_SETTINGS`. Any value can be given as an environment
variable: `XOPS_FEISHU__APP_SECRET` is `app_secret` in `[feishu]`. Secrets never print. docs/configuration.md lists all.
"""

import os
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.errors import ConfigurationError
from core.settings.approvals import ApiToken, ApprovalSettings
from core.settings.diagnosis import DiagnosisSettings
from core.settings.events import EventSettings
from core.settings.extensions import ExtensionSettings
from core.settings.messengers import DingTalk, Feishu, WeCom, WeComBot
from core.settings.operations import Operations
from core.settings.people import AccessSettings, PersonSettings
from core.settings.schedulers import SchedulerConnection
from core.settings.section import Language
from core.settings.server import Model, Server, Storage, Web
from core.settings.subscriptions import SubscriptionSettings
from core.settings.watches import WatchSettings


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
    )

    language: Language = "zh-CN"
    """What people read, unless they or their messenger say otherwise: `zh-CN`, `zh-TW`, `en`."""
    zone: str = "Asia/Shanghai"
    """Zone of the times shown, and of days."""
    server: Server = Server()
    storage: Storage = Storage()
    model: Model = Model()
    operations: Operations = Operations()
    schedulers: tuple[SchedulerConnection, ...] = Field(default_factory=_demo_schedulers)
    feishu: Feishu = Feishu()
    dingtalk: DingTalk = DingTalk()
    wecom: WeCom = WeCom()
    wecom_bot: WeComBot = WeComBot()
    web: Web = Web()
    people: tuple[PersonSettings, ...] = Field(default_factory=_demo_people)
    approvals: ApprovalSettings = ApprovalSettings()
    api_tokens: tuple[ApiToken, ...] = ()
    access: AccessSettings = AccessSettings()
    events: EventSettings = EventSettings()
    subscriptions: tuple[SubscriptionSettings, ...] = ()
    extensions: ExtensionSettings = ExtensionSettings()
    diagnosis: DiagnosisSettings = DiagnosisSettings()
    watches: WatchSettings = WatchSettings()
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
        if self.events.eventbridge_region and not self.server.public_url:
            raise ValueError(
                "events.eventbridge_region is set, so server.public_url is needed: the signature covers it"
            )
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
