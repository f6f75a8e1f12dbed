"""What concerns a whole tenant: workspaces deleted, data downloaded and uploaded."""

from typing import ClassVar

from core.events.dataworks.base import DataWorksEvent
from core.events.dataworks.words import ConflictMode, DownloadModule, Engine, UploadSource, UploadTarget, WriteType
from core.events.values import Id, Open, Time


class DeleteProject(DataWorksEvent):
    """A workspace is about to be deleted."""

    type: ClassVar = "dataworks:ProjectChange:DeleteProject"
    code: ClassVar = "delete-project"
    before: ClassVar = True
    about: ClassVar = (("project", "project_id"),)


class ProjectDeleted(DataWorksEvent):
    """A workspace was deleted."""

    type: ClassVar = "dataworks:ProjectChange:ProjectDeleted"
    code: ClassVar = "project-deleted"
    about: ClassVar = (("project", "project_id"),)

    project_name: str = ""
    """Its name."""
    timestamp: Time = None
    """When the message was sent."""


class DataTransfer(DataWorksEvent):
    """Data is about to leave or enter the platform through a person's hands."""

    before: ClassVar = True
    project_fields: ClassVar = ("query_dw_project_id", "project_id")

    operator_base_id: Id = ""
    """Account of whoever does it."""
    operator_uid: Id = ""
    """User id of whoever does it."""
    datasource_id: Id = ""
    """The data source."""
    datasource_name: str = ""
    """Its name."""
    query_dw_project_id: Id = ""
    """The workspace the data is in."""
    query_dw_project_name: str = ""
    """Its name."""
    file_size: int | None = None
    """Bytes of the file."""


class Download(DataTransfer):
    """A download."""

    about: ClassVar = (("datasource", "datasource_id"),)

    module_type: Open[DownloadModule] = ""
    """Where on the platform it is done."""
    file_name: str = ""
    """Name of the file."""
    data_row_size: int | None = None
    """Rows in it."""
    sql_text: str = ""
    """The statement that selects them."""


class DownloadFile(Download):
    """A file for download is about to be made."""

    type: ClassVar = "dataworks:ResourcesDownload:DownloadResources"
    code: ClassVar = "download-resources"


class DownloadExecute(Download):
    """A file is about to be downloaded."""

    type: ClassVar = "dataworks:ResourcesDownload:DownloadResourcesExecute"
    code: ClassVar = "download-resources-execute"

    ip: str = ""
    """Address it is downloaded to."""


class Upload(DataTransfer):
    """Data is about to be uploaded into a table."""

    type: ClassVar = "dataworks:ResourcesUpload:UploadDataToTable"
    code: ClassVar = "upload-data-to-table"
    about: ClassVar = (("table", "table_guid"),)

    upload_source_type: Open[UploadSource] = ""
    """Where it comes from."""
    opt_table_type: Open[UploadTarget] = ""
    """Whether the table is made by it."""
    target_engine_type: Open[Engine] = ""
    """The engine of the table."""
    write_type: Open[WriteType] = ""
    """Whether it replaces what is there."""
    conflict_mode: Open[ConflictMode] = ""
    """What happens to rows whose key is there already."""
    table_guid: str = ""
    """The table: `odps.<project>.<table>`, `emr_hive.<cluster>.<schema>.<table>`, `holo.<instance>.<database>…`."""
