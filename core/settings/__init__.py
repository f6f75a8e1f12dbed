"""Settings: typed, checked once at start. One module a concern; `everything` puts them together."""

from core.settings.approvals import ApiToken, ApprovalSettings, FreezeSettings, TaskTypeSettings
from core.settings.diagnosis import DiagnosisSettings
from core.settings.events import EventSettings
from core.settings.everything import Settings, load_settings, settings_path
from core.settings.extensions import ExtensionRule, ExtensionSettings
from core.settings.messengers import DingTalk, Feishu, WeCom, WeComBot
from core.settings.operations import Operations
from core.settings.people import AccessSettings, PersonSettings, Role
from core.settings.schedulers import SchedulerConnection, TableProbe
from core.settings.section import Language, Name, Secret, Section
from core.settings.server import Model, Server, Storage, Web
from core.settings.subscriptions import SubscriptionSettings
from core.settings.watches import WatchSettings

__all__ = [
    "AccessSettings",
    "ApiToken",
    "ApprovalSettings",
    "DiagnosisSettings",
    "DingTalk",
    "EventSettings",
    "ExtensionRule",
    "ExtensionSettings",
    "Feishu",
    "FreezeSettings",
    "Language",
    "Model",
    "Name",
    "Operations",
    "PersonSettings",
    "Role",
    "SchedulerConnection",
    "Secret",
    "Section",
    "Server",
    "Settings",
    "Storage",
    "SubscriptionSettings",
    "TableProbe",
    "TaskTypeSettings",
    "WatchSettings",
    "WeCom",
    "WeComBot",
    "Web",
    "load_settings",
    "settings_path",
]
