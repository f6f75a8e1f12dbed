"""The words and codes of DataWorks' events. One that is not here is kept as it came (`core.events.values.Open`).

Source: DataWorks developer reference, "list of events and formats of event messages". Numbers are kept as their digits.
"""

from core.events.values import Word


class SchedulerType(Word):
    """How a node is scheduled. Events write the word for a node and its number for an instance (`taskType`)."""

    NORMAL = "NORMAL", "0"
    """Runs regularly."""
    MANUAL = "MANUAL", "1"
    """Runs only when somebody starts it."""
    PAUSE = "PAUSE", "2"
    """Frozen: its instances fail the moment they are due, without running."""
    SKIP = "SKIP", "3"
    """A dry run: its instances succeed the moment they are due, without running."""
    SKIP_UNCHOOSE = "SKIP_UNCHOOSE", "4"
    """Not chosen in a temporary workflow; succeeds without running."""
    SKIP_CYCLE = "SKIP_CYCLE", "5"
    """Weekly or monthly, and today is not the day; succeeds without running."""
    CONDITION_UNCHOOSE = "CONDITION_UNCHOOSE", "6"
    """Not chosen by a branch above it; a dry run."""
    REALTIME_DEPRECATED = "REALTIME_DEPRECATED", "7"
    """Made at once and replaced since; succeeds without running."""


class DagType(Word):
    """What a run of a workflow is for."""

    SCHEDULED = "0"
    MANUAL = "1"
    SMOKE_TEST = "2"
    BACKFILL = "3"
    TEMPORARY = "4"
    MANUAL_WORKFLOW = "5"


class InstanceStatus(Word):
    """Where an instance, or a run of a workflow, stands."""

    NOT_RUN = "1", "0"
    """Not begun; a sample of the platform's also writes 0."""
    WAIT_TIME = "2"
    """Waits for its time to come."""
    WAIT_RESOURCE = "3"
    RUNNING = "4"
    FAILURE = "5"
    SUCCESS = "6"
    CHECKING_QUALITY = "7"
    """Ran; the data it wrote is being checked."""
    CHECKING_CONDITION = "8"
    """A branch is being chosen."""


class Environment(Word):
    """Which of a workspace's two environments."""

    DEVELOPMENT = "DEV", "0"
    PRODUCTION = "PROD", "1"


class FileChange(Word):
    """What was done to a file."""

    CREATED = "0"
    UPDATED = "1"
    DELETED = "2"


class AlarmType(Word):
    """What kind of monitoring speaks."""

    BASELINE = "SLA_ALERT"
    RULE = "REMIND_ALERT"
    EVENT = "TOPIC_ALERT"


class BaselineStatus(Word):
    """Whether a baseline will keep its promise."""

    ABNORMAL = "-1"
    SAFE = "1"
    WARNING = "2"
    OVERTIME = "3"


class RemindType(Word):
    """What a rule was waiting for."""

    FINISHED = "FINISHED"
    UNFINISHED = "UNFINISHED"
    ERROR = "ERROR"
    CYCLE_UNFINISHED = "CYCLE_UNFINISHED"
    """Not done within its cycle."""
    TIMEOUT = "TIMEOUT"
    RES_GROUP_THRESHOLD = "RES_GROUP_THRESHOLD", "RES_GROUP_THRESHOL"
    """A resource group is used up to its limit; the list of the reference misspells it, its sample does not."""
    RES_GROUP_WAIT_AMOUNT = "RES_GROUP_WAIT_AMOUNT"
    """Too many instances wait for a resource group."""


class RemindUnit(Word):
    """What a rule watches."""

    NODE = "NODE"
    BASELINE = "BASELINE"
    PROJECT = "PROJECT"
    WORKFLOW = "BIZPROCESS", "WORKFLOW"
    SCHEDULING_RESOURCES = "GATEWAY_RES"
    INTEGRATION_RESOURCES = "DI_RES"


class ResourceGroupType(Word):
    """What a resource group serves."""

    SCHEDULING = "GATEWAY"
    INTEGRATION = "DI"


class Order(Word):
    """In which order a backfill takes the days."""

    ASCENDING = "asc", "acs"
    """Oldest first; the reference's list says `acs`, its sample `asc`."""
    DESCENDING = "desc"


class GranteeType(Word):
    """What kind of account asks for a permission."""

    PRODUCTION = "101", "ACCOUNT_PRD"
    APPLICATION = "102", "ACCOUNT_APP"
    USER = "103", "ACCOUNT_USER"
    DEPARTMENT = "104", "ACCOUNT_DEPT"
    OTHER_USER = "105", "ACCOUNT_OTHER_USER"
    MOCK = "106", "ACCOUNT_MOCK"


class ServiceType(Word):
    """What of DataService a permission is for."""

    API = "1"
    FUNCTION = "2"
    ORCHESTRATION = "3"


class DeadlineUnit(Word):
    """Unit of how long a permission is asked for."""

    DAY = "day"
    MONTH = "month"


class CheckResult(Word):
    """What a check of data found."""

    ERROR = "-1"
    """The check itself failed."""
    PASSED = "0"
    WARNING = "1"
    CRITICAL = "2"


class RuleStrength(Word):
    """Whether a broken rule stops the node."""

    WEAK = "0"
    STRONG = "1"


class Severity(Word):
    """How important a rule is."""

    HIGH = "High"
    NORMAL = "Normal"


class DatabaseType(Word):
    """Where a checked table is."""

    MAXCOMPUTE = "MaxCompute", "ODPS"
    EMR = "EMR"
    CDH = "CDH"
    HOLOGRES = "Hologres", "HOLO"
    ANALYTICDB = "AnalyticDB for PostgreSQL", "analyticdb_for_postgresql"


class Metric(Word):
    """What a rule measures."""

    COUNT = "Count"
    MIN = "Min"
    MAX = "Max"
    AVG = "Avg"
    DISTINCT_COUNT = "DistinctCount"
    DISTINCT_PERCENT = "DistinctPercent"
    DUPLICATED_COUNT = "DuplicatedCount"
    DUPLICATED_PERCENT = "DuplicatedPercent"
    TABLE_SIZE = "TableSize"
    NULL_VALUE_COUNT = "NullValueCount"
    NULL_VALUE_PERCENT = "NullValuePercent"
    GROUP_COUNT = "GroupCount"
    COUNT_NOT_IN = "CountNotIn"
    COUNT_DISTINCT_NOT_IN = "CountDistinctNotIn"
    USER_DEFINED_SQL = "UserDefinedSql"


class ThresholdType(Word):
    """How a threshold is found. The reference misspells two of these."""

    FIXED = "Fixed"
    FLUCTUATION = "Fluctation", "Fluctuation"
    FLUCTUATION_DISCRETE = "FluctationDiscreate", "FluctuationDiscrete"
    AUTO = "Auto"
    AVERAGE = "Average"
    VARIANCE = "Variance"


class TriggerType(Word):
    """What starts a monitor."""

    SCHEDULED_INSTANCE = "ByScheduledTaskInstance"
    MANUAL = "ByManual"


class HookType(Word):
    """What a monitor does when its condition holds."""

    BLOCK_INSTANCE = "BlockTaskInstance"


class NoticeChannel(Word):
    """How subscribers of a monitor are told."""

    MAIL = "Mail"
    SMS = "Sms"
    PHONE = "Phone"
    FEISHU = "Feishu"
    WECOM = "Weixin"
    DINGTALK = "Dingding"
    WEBHOOK = "Webhook"


class DownloadModule(Word):
    """Where data is downloaded from."""

    ENTITY_TRANSFER = "entity_transfer"
    DEVELOP_QUERY = "develop_query"
    SQL_QUERY = "sqlx_query"
    SPREADSHEET = "dw_excel"


class UploadSource(Word):
    """Where data is uploaded from."""

    LOCAL = "LOCAL"
    OSS = "OSS"
    SPREADSHEET = "DW_EXCEL"
    HTTP = "HTTP"


class UploadTarget(Word):
    """Whether an upload makes a table."""

    CREATE = "CREATE"
    IMPORT = "IMPORT"


class Engine(Word):
    """Which engine holds the table of an upload."""

    MAXCOMPUTE = "MAXCOMPUTE"
    EMR_HIVE = "EMR Hive", "EMR_HIVE"
    HOLOGRES = "HOLOGRES"


class WriteType(Word):
    """Whether an upload replaces what is there."""

    OVERWRITE = "OVERWRITE"
    APPEND = "APPEND"


class ConflictMode(Word):
    """What an upload does about a primary key that is there already."""

    IGNORE = "IGNORE"
    REPLACE = "REPLACE"
    """Delete the row, insert the new one; columns that are not uploaded become NULL."""
    UPDATE = "UPDATE"
    """Overwrite the uploaded columns only."""
