"""What every section of the settings is made of."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

Language = Literal["zh-CN", "zh-TW", "en"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]

WEAK_SECRETS = frozenset({"secret", "changeme", "change-me", "password", "admin", "token", "test", "123456", "xops"})


def _strong(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and (text.lower() in WEAK_SECRETS or len(text) < 8):
        raise ValueError("is a default or too short to be a secret: use at least 8 characters nobody can guess")
    return value


Secret = Annotated[SecretStr, AfterValidator(_strong)]


class Section(BaseModel):
    """Unknown keys are refused, so that a misspelt one is found at start and not at 3 a.m."""

    model_config = ConfigDict(extra="forbid", frozen=True)
