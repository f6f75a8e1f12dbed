"""Data quality: what checks found, and rules, monitors and subscriptions about to be changed."""

from typing import ClassVar

from core.events.dataworks.base import DataWorksEvent, Part
from core.events.dataworks.quality_parts import Hook, Notifications, Rule, Target, Trigger
from core.events.dataworks.words import CheckResult, NoticeChannel, RuleStrength
from core.events.values import Id, Ids, Open, Time


class CheckFeedback(DataWorksEvent):
    """Somebody said what they think of a check's result."""

    type: ClassVar = "dataworks:DqcCheck:DqcCheckFeedbackEvent"
    code: ClassVar = "dqc-check-feedback-event"
    about: ClassVar = (("rule", "rule_id"), ("check", "rule_check_id"))

    rule_id: Id = ""
    """The rule."""
    rule_check_id: Id = ""
    """The result."""
    feedback_content: str = ""
    """What they said, e.g. `Skip`."""
    create_user: Id = ""
    """Who said it."""
    task_id: Id = ""
    """The check it belongs to; not an instance of a node."""
    begin_time: Time = None
    """When they said it."""
    env_type: str = ""
    """Kind of data source: `ODPS`, `EMR`, `HOLO`."""
    project_name: str = ""
    """The data source."""


class ReferenceSample(Part):
    """A value of earlier days, to compare with."""

    biz_date: Time = None
    """The day it is of."""
    discrete_property: str = ""
    """The group it is of, where values are grouped."""
    value: float | None = None
    """The value."""
    single_check_result: Open[CheckResult] = ""
    """What comparing with it alone says."""


class Sample(Part):
    """A value measured now."""

    biz_date: Time = None
    """The day it is of."""
    discrete_property: str = ""
    """The group it is of, where values are grouped."""
    value: float | None = None
    """The value."""


class CheckFinished(DataWorksEvent):
    """A check of a table against one rule is done."""

    type: ClassVar = "dataworks:DqcCheck:DqcCheckFinishedEvent"
    code: ClassVar = "dqc-check-finished-event"
    about: ClassVar = (("table", "table_name"), ("rule", "rule_id"), ("check", "id"))

    id: Id = ""
    """The result."""
    task_id: Id = ""
    """The check it belongs to; not an instance of a node."""
    entity_id: Id = ""
    """The partition expression."""
    rule_id: Id = ""
    """The rule."""
    rule_name: str = ""
    """Its name."""
    comment: str = ""
    """Its description."""
    property: str = ""
    """The column that is checked; `-` for the table."""
    bizdate: Time = None
    """The day its data is of."""
    date_type: str = ""
    """How often, `YMD` as a rule."""
    actual_expression: str = ""
    """The partition that was checked."""
    match_expression: str = ""
    """The expression it was found by."""
    block_type: Open[RuleStrength] = ""
    """Whether a critical result stops the node."""
    check_result: Open[CheckResult] = ""
    """What was found."""
    check_result_status: Open[CheckResult] = ""
    """The same, as another part of the platform tells it."""
    method_name: str = ""
    """How it is measured, e.g. `table_count`."""
    begin_time: Time = None
    """When it began."""
    end_time: Time = None
    """When it ended."""
    time_consuming: str = ""
    """How long it took, e.g. `7s`."""
    external_type: str = ""
    """Scheduling system, `CWF2`; empty for a trial by hand."""
    external_id: Id = ""
    """Node that started it, or `triggerByManual`."""
    discrete: bool | None = None
    """Whether values are grouped."""
    fixed_check: bool | None = None
    """Whether it compares with a fixed value."""
    reference_value: tuple[ReferenceSample, ...] = ()
    """Values of earlier days."""
    sample_value: tuple[Sample, ...] = ()
    """Values measured now."""
    trend: str = ""
    """Which way it goes."""
    expect_value: float | None = None
    """What was expected."""
    op: str = ""
    """How it is compared, e.g. `>=`."""
    project_name: str = ""
    """The engine or data source."""
    table_name: str = ""
    """The table."""
    template_id: Id = ""
    """Template of the rule."""
    checker_type: Id = ""
    """Kind of checker, by number."""
    is_prediction: bool | None = None
    """Whether the expected value was predicted."""
    feedback_status: Id = ""
    """Whether somebody said what they think of it, by number."""
    whether_to_filter_dirty_data: bool | None = None
    """Whether dirty data was left out."""


class QualityOperation(DataWorksEvent):
    """Somebody is about to change how data is checked."""

    before: ClassVar = True

    operation_time: Time = None
    """When they asked for it."""


class UpdateRule(Rule, QualityOperation):
    """A rule is about to be changed; its fields are beside those of the event."""

    type: ClassVar = "dataworks:DqcCheck:UpdateDataQualityRule"
    code: ClassVar = "update-data-quality-rule"
    about: ClassVar = (("rule", "id"),)


class RulesOperation(QualityOperation):
    """Several rules of one table are about to be made or changed."""

    data_quality_task_id: Id = ""
    """The monitor they belong to; may be empty."""
    target: Target | None = None
    """The table."""
    rules: tuple[Rule, ...] = ()
    """The rules."""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The table, and the rules that have an id already."""
        table = (("table", self.target.table_guid),) if self.target else ()
        return (*table, *(("rule", rule.id) for rule in self.rules if rule.id))


class CreateRules(RulesOperation):
    """Rules are about to be made."""

    type: ClassVar = "dataworks:DqcCheck:BatchCreateDataQualityRules"
    code: ClassVar = "batch-create-data-quality-rules"


class UpdateRules(Rule, RulesOperation):
    """Several rules are about to be changed. The reference's sample shows one rule beside the event in place of the list."""

    type: ClassVar = "dataworks:DqcCheck:BatchUpdateDataQualityRules"
    code: ClassVar = "batch-update-data-quality-rules"

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The table, and the rules."""
        return (*super().subjects, *((("rule", self.id),) if self.id else ()))


class DeleteRules(QualityOperation):
    """Rules are about to be deleted."""

    type: ClassVar = "dataworks:DqcCheck:BatchDeleteDataQualityRules"
    code: ClassVar = "batch-delete-data-quality-rules"
    about: ClassVar = (("rule", "ids"),)

    ids: Ids = ()
    """The rules."""


class MonitorOperation(QualityOperation):
    """A monitor is about to be made or changed."""

    about: ClassVar = (("monitor", "id"),)

    id: Id = ""
    """The monitor; empty while it is being made."""
    name: str = ""
    """Its name."""
    description: str = ""
    """What it is for."""
    target: Target | None = None
    """The table it watches."""
    trigger: Trigger | None = None
    """What starts it."""
    data_source_id: Id = ""
    """The data source it runs in."""
    runtime_conf: str = ""
    """How it runs there, as JSON text: `queue`, `sqlEngine`."""
    rules: tuple[Rule, ...] = ()
    """Its rules."""
    hooks: tuple[Hook, ...] = ()
    """What it does when a condition holds."""
    notifications: Notifications | None = None
    """Whom it tells, and when."""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The monitor and its table."""
        return (*super().subjects, *((("table", self.target.table_guid),) if self.target else ()))


class CreateMonitor(MonitorOperation):
    """A monitor is about to be made."""

    type: ClassVar = "dataworks:DqcCheck:CreateDataQualityEvaluationTask"
    code: ClassVar = "create-data-quality-evaluation-task"


class UpdateMonitor(MonitorOperation):
    """A monitor is about to be changed."""

    type: ClassVar = "dataworks:DqcCheck:UpdateDataQualityEvaluationTask"
    code: ClassVar = "update-data-quality-evaluation-task"


class CloneMonitor(QualityOperation):
    """A monitor is about to be copied to other tables."""

    type: ClassVar = "dataworks:DqcCheck:CloneDataQualityEvaluationTask"
    code: ClassVar = "clone-data-quality-evaluation-task"
    about: ClassVar = (("monitor", "id"),)

    id: Id = ""
    """The monitor."""
    targets: tuple[Target, ...] = ()
    """Tables it is copied to."""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The monitor and the tables it is copied to."""
        return (*super().subjects, *(("table", target.table_guid) for target in self.targets if target.table_guid))


class DeleteMonitors(QualityOperation):
    """Monitors are about to be deleted."""

    type: ClassVar = "dataworks:DqcCheck:BatchDeleteDataQualityEvaluationTasks"
    code: ClassVar = "batch-delete-data-quality-evaluation-tasks"
    about: ClassVar = (("monitor", "ids"),)

    ids: Ids = ()
    """The monitors."""


class SubscriptionOperation(QualityOperation):
    """A subscription to a monitor's alerts is about to be made or deleted."""

    about: ClassVar = (("monitor", "data_quality_evaluation_task_id"),)

    data_quality_evaluation_task_id: Id = ""
    """The monitor."""
    channel: Open[NoticeChannel] = ""
    """How the subscriber is told."""
    receiver_value: Id = ""
    """Where: an account, an address."""


class CreateSubscription(SubscriptionOperation):
    """Somebody is about to subscribe to a monitor's alerts."""

    type: ClassVar = "dataworks:DqcCheck:CreateDataQualityEvaluationTaskNotification"
    code: ClassVar = "create-data-quality-evaluation-task-notification"


class DeleteSubscription(SubscriptionOperation):
    """A subscription to a monitor's alerts is about to end."""

    type: ClassVar = "dataworks:DqcCheck:DeleteDataQualityEvaluationTaskNotification"
    code: ClassVar = "delete-data-quality-evaluation-task-notification"


class UpdateSubscription(QualityOperation):
    """A subscription to a monitor's alerts is about to be changed."""

    type: ClassVar = "dataworks:DqcCheck:UpdateDataQualityEvaluationTaskNotification"
    code: ClassVar = "update-data-quality-evaluation-task-notification"
    about: ClassVar = (("monitor", "data_quality_evaluation_task_id"),)

    data_quality_evaluation_task_id: Id = ""
    """The monitor."""
    current_channel: Open[NoticeChannel] = ""
    """How the subscriber is told now."""
    current_receiver_value: Id = ""
    """Where, now."""
    updated_channel: Open[NoticeChannel] = ""
    """How the subscriber will be told."""
    updated_receiver_value: Id = ""
    """Where, then."""
