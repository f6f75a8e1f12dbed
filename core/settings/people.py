"""People with rights."""

from typing import Literal

from pydantic import Field

from core.settings.section import Language, Section

Role = Literal["viewer", "operator", "ops_admin", "admin"]


class PersonSettings(Section):
    """Someone with rights. Whoever is neither listed here nor by `xops people` may look at nothing and change nothing."""

    name: str = Field(min_length=1, max_length=80)
    role: Role = "viewer"
    """`viewer` looks, `operator` may rerun and freeze, `ops_admin` may also set success, stop, backfill and switch the
    assistant, `admin` may also manage people."""
    projects: tuple[str, ...] = ()
    """Projects they may operate, `*` for all, or `scheduler:project`."""
    owners: tuple[str, ...] = ()
    """Names under which schedulers list them as an owner."""
    identities: dict[str, str] = Field(default_factory=dict[str, str])
    """Channel name to the person's id there, e.g. `feishu = "ou_…"`."""
    language: Language | Literal[""] = ""
    break_glass: bool = False
    """May carry out an order without its approval in an emergency; it is reviewed afterwards."""
    groups: tuple[str, ...] = ()
    """Groups they are in, to which approvals can be given."""


class AccessSettings(Section):
    """Whose people are served, and whose word about them counts."""

    tenants: tuple[str, ...] = ()
    """Companies whose people are served, as messengers call them (Feishu `tenant_key`, DingTalk `corpId`, WeCom `corpid`);
    whoever is of another is a stranger. Empty for every company that the messengers' apps are installed for."""
    trust_scheduler_members: bool = False
    """Also let people operate projects of which their scheduler says that they, by a name in `owners`, are members."""
