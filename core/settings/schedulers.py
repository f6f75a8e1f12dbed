"""Connections to schedulers."""

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from core.settings.section import Name, Section


class SchedulerConnection(Section):
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
