"""Events of other systems."""

from pydantic import Field, SecretStr, model_validator

from core.settings.section import Name, Secret, Section


class EventSettings(Section):
    """What DataWorks, OpenLineage and tools that talk to group robots tell. Each way in is off while its secret is empty."""

    eventbridge_region: str = Field(default="", pattern=r"^([a-z]{2}(-[a-z0-9]+)+)?$")
    """Region of the event bus, e.g. `cn-shanghai`: `POST /events/dataworks` then takes what EventBridge signs there. Needs
    `server.public_url`, since the address is part of the signature."""
    eventbridge_certificates: str = ""
    """Certificates are fetched from addresses that begin so and nowhere else; made from the region when empty."""
    eventbridge_certificate: str = ""
    """The certificate itself (PEM), for a server that cannot reach EventBridge's; then nothing is fetched."""
    eventbridge_token: Secret = SecretStr("")
    """Token of the target, if it has one; pushes without it are refused."""
    eventbridge_legacy: bool = False
    """Whether the older signature (HMAC-SHA1) will do where the newer one is missing."""
    path_token: Secret = SecretStr("")
    """For senders that cannot sign: `POST /events/dataworks/<token>` and `POST /extensions/dataworks/<token>`."""
    lineage_key: Secret = SecretStr("")
    """API key that OpenLineage producers send as a bearer token to `POST /api/v1/lineage`."""
    robots: dict[Name, Secret] = Field(default_factory=dict[Name, Secret])
    """Name of a tool to its key: `grafana = "…"` hears at `POST /hooks/dingtalk/<key>`, `/hooks/feishu/…`, `/hooks/wecom/…`
    whatever that tool would post to such a group robot."""
    most: int = Field(default=20_000, ge=1)
    """Events that may be under way at once; senders of more are told to come back (429)."""
    tell_owners: bool = True
    """Whether owners of tasks hear of their failures in their private chats without subscribing."""
    keep_days: float = Field(default=3.0, ge=2.0)
    """How long events are kept: to replay them, and to know a redelivery, which EventBridge tries for a day."""

    @property
    def open(self) -> bool:
        """Whether there is any way in."""
        return bool(
            self.signed or self.path_token.get_secret_value() or self.lineage_key.get_secret_value() or self.robots
        )

    @property
    def signed(self) -> bool:
        """Whether EventBridge's signed pushes are taken."""
        return bool(self.eventbridge_region or self.eventbridge_certificate)

    @model_validator(mode="after")
    def _complete(self) -> "EventSettings":
        keys = [key.get_secret_value() for key in self.robots.values()]
        if len(set(keys)) < len(keys) or not all(keys):
            raise ValueError("events.robots: each tool needs a key of its own")
        if self.eventbridge_certificates and not self.eventbridge_certificates.endswith("/"):
            raise ValueError("events.eventbridge_certificates must end with a slash, so that it ends the host")
        return self
