"""People with rights."""

from typing import Literal

from pydantic import Field

from core.settings.section import Language, Section

Role = Literal["viewer", "operator", "admin"]


class PersonSettings(Section):
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
