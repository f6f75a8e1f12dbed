"""Permissions on data: asked for, decided."""

from typing import ClassVar

from core.events.dataworks.base import DataWorksEvent, Part
from core.events.dataworks.words import DeadlineUnit, Environment, GranteeType, ServiceType
from core.events.values import Id, Open, Time


class Grantee(Part):
    """An account that asks for a permission."""

    grantee_id: Id = ""
    """The account."""
    grantee_name: str = ""
    """Its name."""
    grantee_type: Id = ""
    """Type of the grant."""
    grantee_type_sub: Open[GranteeType] = ""
    """Kind of account."""


class Authorized(Part):
    """What a permission is for: a table of MaxCompute, or an API of DataService. Each has fields of its own."""

    object_type: str = ""
    """MaxCompute: `TABLE`."""
    object_name: str = ""
    """MaxCompute: its name."""
    object_name_cn: str = ""
    """MaxCompute: its Chinese name."""
    object_guid: str = ""
    """MaxCompute: `odps.<project>.<table>`."""
    odps_table: str = ""
    """MaxCompute: the table."""
    odps_project: str = ""
    """MaxCompute: its project."""
    project_guid: str = ""
    """MaxCompute: `odps.<project>`."""
    project_name: str = ""
    """MaxCompute: code of the project."""
    project_id: Id = ""
    """MaxCompute: id of the project."""
    tenant_id: Id = ""
    """MaxCompute: the tenant; 0 where it is not told."""
    env_type: Open[Environment] = ""
    """MaxCompute: environment the table is used in."""
    owner_base_id: Id = ""
    """MaxCompute: account of the owner."""
    owner_account_name: str = ""
    """MaxCompute: name of the owner."""
    actions: tuple[str, ...] = ()
    """MaxCompute: what is asked for, e.g. `Select`."""
    workspace_id: Id = ""
    """The workspace."""
    id: Id = ""
    """DataService: the resource."""
    resource_id: str = ""
    """DataService: its path."""
    resource_version: Id = ""
    """DataService: its version."""
    name: str = ""
    """DataService: its name."""
    type: Open[ServiceType] = ""
    """DataService: what it is."""
    ds_deploy_id: Id = ""
    """DataService: the published API."""
    workspace_name: str = ""
    """DataService: name of the workspace."""
    owner_id: Id = ""
    """DataService: account of the owner."""
    owner_name: str = ""
    """DataService: name of the owner."""
    url: str = ""
    """DataService: its page."""


class ApprovalContent(Part):
    """What is asked for."""

    apply_period: str = ""
    """How long the permission is to last."""
    apply_reason: str = ""
    """Why."""
    content_type: str = ""
    """Type of the content."""
    odps_project_name: str = ""
    """The MaxCompute project."""
    project_env: Open[Environment] = ""
    """Its environment."""
    resource_summary: str = ""
    """What it is for, in a few words."""
    tenant_id: Id = ""
    """The tenant."""
    workspace_id: Id = ""
    """The workspace."""
    grantee_accounts: tuple[Grantee, ...] = ()
    """Who asks."""
    array_data: tuple[Authorized, ...] = ()
    """For what."""


class ApprovalProcess(Part):
    """The flow an order goes through."""

    process_id: Id = ""
    """The flow."""
    process_definition_id: str = ""
    """What defines it."""
    title: str = ""
    """Its title."""
    status: str = ""
    """How it stands, e.g. `Pending`."""
    applicant: Id = ""
    """Account of who asks."""
    applicant_name: str = ""
    """Their name."""
    assignment_category: str = ""
    """Kind of content: `MaxCompute`, `DataService`."""
    approval_content: ApprovalContent | None = None
    """What is asked for."""
    create_time: Time = None
    """When it began."""
    update_time: Time = None
    """When it last changed."""


class Approval(DataWorksEvent):
    """An order for a permission."""

    about: ClassVar = (("approval", "process_id"),)
    project_fields: ClassVar = ("app_id", "project_id")

    event_type: str = ""
    """`approval`."""
    app_id: Id = ""
    """The workspace."""
    process_id: Id = ""
    """The order."""
    task_id: Id = ""
    """The step of it that somebody has to do."""
    status: str = ""
    """How the order stands, e.g. `Submit`."""
    assignee: Id = ""
    """Account of who decides."""
    assignee_name: str = ""
    """Their name."""
    comments: str = ""
    """What they said."""
    create_time: Time = None
    """When it was made."""
    update_time: Time = None
    """When it last changed."""
    process: ApprovalProcess | None = None
    """The flow it goes through."""


class ApprovalCreated(Approval):
    """An order for a permission is about to be made."""

    type: ClassVar = "dataworks:ApprovalChange:ApprovalChangeCreated"
    code: ClassVar = "approval-change-created"
    before: ClassVar = True


class ApprovalFinished(Approval):
    """An order for a permission was decided."""

    type: ClassVar = "dataworks:ApprovalChange:ApprovalChangeFinished"
    code: ClassVar = "approval-change-finished"


class RequestedTable(Part):
    """A table and what somebody wants to do with it."""

    name: str = ""
    """The table."""
    project_guid: str = ""
    """`odps.<project>`."""
    action: tuple[str, ...] = ()
    """What is asked for, e.g. `Select`."""


class RequestedProject(Part):
    """The workspace whose tables are asked for."""

    project_id: Id = ""
    """Its id."""
    project_name: str = ""
    """Its name."""
    env_code: Open[Environment] = ""
    """Its environment."""
    label_security: bool | None = None
    """Whether columns have security levels."""
    object_meta_list: tuple[RequestedTable, ...] = ()
    """The tables."""


class TableOrder(Part):
    """A request for permissions on tables."""

    apply_reason: str = ""
    """Why."""
    deadline_date: str = ""
    """For how many days or months."""
    deadline_type: Open[DeadlineUnit] = ""
    """Unit of that."""
    grantee_object_list: tuple[Grantee, ...] = ()
    """For whom."""
    project_meta: RequestedProject | None = None
    """Where, and for what."""


class TablePermissionRequest(DataWorksEvent):
    """Somebody is about to ask for permissions on tables."""

    type: ClassVar = "dataworks:ApprovalChange:ApprovalChangeBeforeCreate"
    code: ClassVar = "approval-change-before-create"
    before: ClassVar = True

    event_type: str = ""
    """`approval-create-before`."""
    order: TableOrder | None = None
    """What is asked for."""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The tables, by the names they would have in an approval: `odps.<project>.<table>`."""
        project = self.order.project_meta if self.order else None
        return tuple(("table", f"{t.project_guid}.{t.name}") for t in (project.object_meta_list if project else ()))
