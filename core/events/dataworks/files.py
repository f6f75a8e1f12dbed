"""Files and tables in development: about to be committed, deployed, run or deleted."""

from typing import ClassVar

from core.events.dataworks.base import DataWorksEvent
from core.events.dataworks.words import FileChange as Change
from core.events.values import Id, Open, Time


class FileOperation(DataWorksEvent):
    """Something is about to be done to a file: a node, a resource or a function."""

    before: ClassVar = True
    about: ClassVar = (("file", "file_id"), ("node", "node_id"))

    file_id: Id = ""
    """The file."""
    file_name: str = ""
    """Its name."""
    file_owner: Id = ""
    """User id of its owner."""
    file_type: Id = ""
    """Type of its code, by number; `ListFileType` lists them."""
    file_version: Id = ""
    """Its version."""
    file_create_time: Time = None
    """When it was made."""
    node_id: Id = ""
    """The node it is deployed as."""
    resource_type: Id = ""
    """What kind of resource it is, by number."""
    change_type: Open[Change] = ""
    """What changed."""
    data_source_name: str = ""
    """The data source it works on."""


class DeleteFile(FileOperation):
    """A file is about to be moved to the recycle bin."""

    type: ClassVar = "dataworks:FileChange:DeleteFile"
    code: ClassVar = "delete-file"


class CommitFile(FileOperation):
    """A file is about to be committed."""

    type: ClassVar = "dataworks:FileChange:CommitFile"
    code: ClassVar = "commit-file"


class DeployFile(FileOperation):
    """A file is about to be deployed to production."""

    type: ClassVar = "dataworks:FileChange:DeployFile"
    code: ClassVar = "deploy-file"


class RunFile(FileOperation):
    """A file's code is about to be run."""

    type: ClassVar = "dataworks:FileChange:RunFile"
    code: ClassVar = "run-file"


class TableOperation(DataWorksEvent):
    """Something is about to be done to a table's definition."""

    before: ClassVar = True
    about: ClassVar = (("table", "table_name"),)

    table_name: str = ""
    """The table."""
    table_type: str = ""
    """`ODPS`."""
    max_compute_project: str = ""
    """MaxCompute project the table is in."""


class CommitTable(TableOperation):
    """A table is about to be committed to development."""

    type: ClassVar = "dataworks:TableChange:CommitTable"
    code: ClassVar = "commit-table"


class DeployTable(TableOperation):
    """A table is about to be deployed to production."""

    type: ClassVar = "dataworks:TableChange:DeployTable"
    code: ClassVar = "deploy-table"
