"""Connections to schedulers."""

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, model_validator

from core.settings.section import Name, Section

MEASURING = frozenset({"airflow", "dataphin", "dolphinscheduler"})
"""Kinds of scheduler whose tables can be measured; `dataworks` tells of its partitions itself."""


class TableProbe(Section):
    """A database that is asked when data last came; for `airflow`, `dataphin` and `dolphinscheduler`."""

    url: SecretStr = SecretStr("")
    """Address as SQLAlchemy writes it, e.g. `postgresql://reader:…@warehouse/dw`; of a user that may read these tables, and no
    more."""
    columns: dict[str, str] = Field(default={})
    """By name of a table, as the scheduler or `tables` has it: where the moment a row came is, as `table.column` or
    `schema.table.column`."""
    zone: str = ""
    """Zone of columns that tell none; the connection's when empty."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    """Longest a table's question may take."""

    @model_validator(mode="after")
    def _complete(self) -> "TableProbe":
        if bool(self.url.get_secret_value()) != bool(self.columns):
            raise ValueError("give url and columns of probe, or neither")
        for table, path in self.columns.items():
            if len(path.split(".")) not in {2, 3} or not all(path.split(".")):
                raise ValueError(f"probe: the column of {table} is written as table.column or schema.table.column")
        if self.zone:
            _check_zone(self.zone, "probe: no such zone, e.g. UTC or Asia/Shanghai")
        return self


class SchedulerConnection(Section):
    """One scheduler. `kind` decides which of the other values are needed."""

    name: Name
    """Short name of the connection, shown on cards; begins references such as `prod:…`."""
    kind: Literal["simulated", "airflow", "dataworks", "dataphin", "dolphinscheduler", "mirror"]
    """`airflow`, `dataworks`, `dataphin`, `dolphinscheduler`, `mirror` for one that is known by its events, or `simulated` for
    the demonstration."""
    environment: str = Field(default="", pattern=r"^\S{0,120}$")
    """What it serves, e.g. `prod`: approval flows and freezes can be for some environments, and cards of tickets show it."""
    url: str = ""
    """`dataworks` and `dataphin` only where the region's own address is not the one to use: within a VPC, or on premises."""
    username: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    zone: str = ""
    """Zone in which its days begin; the general one when empty."""
    timeout_seconds: float = Field(default=15.0, gt=0)
    region: str = ""
    """`dataworks`, `dataphin`: where it is, e.g. `cn-hangzhou`. A second region is a second connection."""
    access_key_id: str = ""
    """`dataworks`, `dataphin`: of a RAM user, or of a user of Dataphin. When empty, Alibaba Cloud's chain finds credentials:
    environment, OIDC, file, role."""
    access_key_secret: SecretStr = SecretStr("")
    security_token: SecretStr = SecretStr("")
    """`dataworks`, `dataphin`: with a temporary access key."""
    projects: tuple[str, ...] = ()
    """`dataworks`, `dataphin`, `dolphinscheduler`: names of the workspaces or projects to look at; all that it may see when
    empty. `mirror`: ids of the workspaces, or OpenLineage namespaces, whose events count; all when empty."""
    edition: Literal["basic", "standard", "professional", "enterprise"] = "standard"
    """`dataworks`: as bought; decides how many calls a second Alibaba Cloud allows."""
    freezes: Literal["instance", "node"] = "instance"
    """`dataworks`: what an order to freeze is about: the instance of one cycle, or its node, with all cycles to come."""
    calls_per_second: float = Field(default=0.0, ge=0)
    """`dataworks`, `dataphin`: most calls a second, when others share the quota; when 0, by edition, or 20 for `dataphin`."""
    concurrency: int = Field(default=8, ge=1, le=64)
    """`dataworks`, `dataphin`, `dolphinscheduler`: most calls at once."""
    server_zone: str = "UTC"
    """`dolphinscheduler`: its `SPRING_JACKSON_TIME_ZONE`, in which its API reads and writes moments."""
    tables: dict[str, str] = Field(default={})
    """`dolphinscheduler`: by name of a table, the name or code of the task that writes it."""
    dbt_sources: str = ""
    """`dolphinscheduler`: path of the `sources.json` that `dbt source freshness` writes, for the tables in it."""
    probe: TableProbe = TableProbe()
    source: Literal["dataworks", "openlineage"] = "dataworks"
    """`mirror`: whose events it is fed by."""
    tenant: str = ""
    """`mirror`: id of the DataWorks tenant whose events count; any when empty. `dataphin`: id of the tenant, as the address of
    its pages says (`tenantId=…`)."""
    operator: str = ""
    """`dataphin`: id of the user in whose name calls are made; that of the access key when empty."""
    ca_file: str = ""
    """`dataphin`: certificates to trust instead of the public ones, in PEM, for a gateway that signed its own."""
    signature: Literal["v3", "v2"] = "v3"
    """`dataphin`: `v2` for gateways that know no newer one; `xops doctor` tells."""
    api: str = ""
    """`mirror`: name of the connection to the same scheduler that it asks for logs and lets carry out orders."""
    keep_days: int = Field(default=35, ge=1)
    """`mirror`: how long instances and changes are kept."""
    silent_minutes: float = Field(default=15.0, gt=0)
    """`mirror`: after so long without an event it asks `api` how things are."""
    seed: int = 20
    """`simulated` only: which night."""
    speed: float = Field(default=60.0, gt=0)
    """`simulated` only: how many times faster than real time a rerun goes."""

    @model_validator(mode="after")
    def _complete(self) -> "SchedulerConnection":
        if self.probe.columns and self.kind not in MEASURING:
            raise ValueError(f"scheduler {self.name}: kind {self.kind!r} takes no probe")
        if self.kind == "dataphin" and not self.tenant.isdecimal():
            raise ValueError(f"scheduler {self.name}: kind 'dataphin' needs tenant, a number")
        if self.kind in {"dataworks", "dataphin"}:
            return self._of_alibaba_cloud()
        if self.kind == "dolphinscheduler":
            return self._of_dolphinscheduler()
        if self.kind == "airflow" and not self.url:
            raise ValueError(f"scheduler {self.name}: kind 'airflow' needs url, e.g. http://airflow.example.com:8080")
        if self.kind == "airflow" and not (self.token.get_secret_value() or self.username):
            raise ValueError(f"scheduler {self.name}: give username and password, or token")
        return self

    def _of_alibaba_cloud(self) -> "SchedulerConnection":
        if not (self.region or self.url):
            raise ValueError(f"scheduler {self.name}: kind {self.kind!r} needs region, e.g. cn-hangzhou")
        if bool(self.access_key_id) != bool(self.access_key_secret.get_secret_value()):
            raise ValueError(f"scheduler {self.name}: give access_key_id and access_key_secret, or neither")
        return self

    def _of_dolphinscheduler(self) -> "SchedulerConnection":
        if not (self.url and self.token.get_secret_value()):
            raise ValueError(f"scheduler {self.name}: give url, e.g. http://dolphin:12345/dolphinscheduler, and token")
        _check_zone(self.server_zone, f"scheduler {self.name}: no such server_zone, e.g. UTC or Asia/Shanghai")
        return self


def _check_zone(zone: str, otherwise: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(otherwise) from error
