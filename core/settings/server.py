"""The process itself: its server, its store, its page, its model."""

from typing import Literal

from pydantic import Field, SecretStr

from core.settings.section import Secret, Section


class Server(Section):
    """The HTTP server that serves the web page and receives webhooks."""

    host: str = "127.0.0.1"
    """Where it listens; `0.0.0.0` in a container."""
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    """Address people's phones reach, e.g. `https://xops.example.com`; used in links on cards."""
    body_limit: int = Field(default=1_048_576, ge=1024)
    """Largest request body in bytes; larger ones get 413."""


class Storage(Section):
    """Where things are kept: `sqlite:///path` or `postgresql://user:password@host/database`."""

    url: SecretStr = SecretStr("sqlite:///data/xops.sqlite")
    lease_seconds: float = Field(default=15.0, gt=0)
    """A replica silent for this long is taken for dead, and its work is taken over."""


class Model(Section):
    """The language model. Without one, the built-in rules choose the tools.

    Any OpenAI-compatible endpoint needs `base_url`, `name` and `api_key`. For other providers set `provider` to what
    `langchain.chat_models.init_chat_model` calls `model_provider`, and install its package.
    """

    name: str = ""
    others: tuple[str, ...] = ()
    """Further models of the same endpoint that an administrator may choose instead, with `/model NAME`."""
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

    @property
    def names(self) -> tuple[str, ...]:
        """All models that may be used, the usual one first; none when none is configured."""
        return (self.name, *self.others) if self.name else ()


class Web(Section):
    """The page `/mobile/ops/chat`."""

    sign_on_token: Secret = SecretStr("")
    """Long random token that signs a person on; when empty, one is made at each start and printed once."""
    person: str = "demo"
    """Name of the person (in `people`) that the sign-on token stands for."""
    session_hours: float = Field(default=12.0, gt=0)
