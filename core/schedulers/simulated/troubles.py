"""What goes wrong tonight, as data: which task, which kind of failure, which nights, and whether a rerun helps.

To add a kind of failure, add a `Fault` and its log in `logs/`; to let a task suffer from it, add a `Trouble`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.schedulers.base import Flags, Status


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of failure.

    Attributes:
        log: name of the template in `logs/`.
        note: the platform's one line about it.
        rerun_helps: whether the next run succeeds; otherwise it fails again in the same way.
        share: after which part of its usual time the run ends.
        status: how the run ends.
    """

    log: str
    note: str
    rerun_helps: bool = False
    share: float = 0.6
    status: Status = Status.FAILED


@dataclass(frozen=True, slots=True)
class Trouble:
    """A task that suffers from a fault.

    Attributes:
        nights: how many nights ago it struck: 0 is tonight, 1 last night.
        hours: which runs of an hourly task it strikes.
    """

    task: str
    fault: Fault
    nights: tuple[int, ...] = (0,)
    hours: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Queue:
    """What a task must wait for although its upstream is done: the quota is filled by tasks that do not end.

    Attributes:
        group: resource group; empty when a throttling rule holds the task back.
        rule: throttling rule; empty when it is a resource group.
        holders: names of the tasks that fill it; there is room as soon as one of them is not running.
    """

    note: str
    holders: tuple[str, ...]
    group: str = ""
    rule: str = ""


TABLE_NOT_FOUND = Fault("maxcompute_table_not_found", "ODPS-0130131: Table not found", share=0.2)
PARTITION_MISSING = Fault("maxcompute_partition_missing", "ODPS-0130161: 读取的分区不存在", share=0.3)
SCHEMA_MISMATCH = Fault("maxcompute_schema_mismatch", "ODPS-0130121: column count mismatch on insert", share=0.2)
SYNTAX = Fault("maxcompute_syntax", "ODPS-0130161: Parse exception", share=0.05)
NO_PERMISSION = Fault("maxcompute_permission", "ODPS-0420095: Access Denied", share=0.1)
QUALITY = Fault("data_quality_rule", "数据质量强规则未通过,已阻塞下游", share=1.1)
OUT_OF_MEMORY = Fault(
    "spark_executor_oom", "Spark 作业失败: Container killed by YARN for exceeding memory limits", share=1.8
)
NO_CONTAINERS = Fault("yarn_queue_shortage", "YARN 队列资源不足,等待超时", rerun_helps=True, share=2.0)
TIMEOUT = Fault("task_timeout", "运行超过超时时间,已被调度终止", rerun_helps=True, share=6.0)
LOCK = Fault("hive_lock", "FAILED: Error in acquiring locks", rerun_helps=True, share=1.5)
DISK_FULL = Fault("disk_full", "No space left on device", share=0.8)
MYSQL_REFUSED = Fault("datax_mysql_refused", "DataX 任务失败: Connection refused", rerun_helps=True, share=0.5)
MYSQL_DENIED = Fault("datax_mysql_denied", "DataX 任务失败: Access denied for user", share=0.3)
DIRTY_RECORDS = Fault("datax_dirty_records", "脏数据条数超过限制", share=0.9)
KEY_ERROR = Fault("python_key_error", "Python 脚本异常退出, exit code 1", share=0.4)
NO_MODULE = Fault("python_module_missing", "Python 脚本异常退出, exit code 1", share=0.1)
NO_COMMAND = Fault("shell_command_not_found", "Shell 任务失败, exit code 127", share=0.5)
WRONG_PARAMETER = Fault("wrong_parameter", "调度参数未替换: ${bizmonth}", share=0.2)
KILLED = Fault("killed_by_person", "任务被手动终止", rerun_helps=True, status=Status.KILLED)
PLATFORM = Fault("platform_internal_error", "ODPS-0010000: System internal error", rerun_helps=True, share=0.7)
KAFKA_OFFSET = Fault("kafka_offset_out_of_range", "OffsetOutOfRangeException", share=0.4)
KAFKA_TIMEOUT = Fault("kafka_broker_timeout", "Kafka 拉取元数据超时", rerun_helps=True, share=0.9)
HANG = Fault("hang", "", rerun_helps=True)
"""No end at all, until somebody kills it."""
QUIET = Fault("shell_false_success", "", share=0.7, status=Status.SUCCESS)
"""No failure at all as far as the scheduler can see: the script goes on after an error, and exits with 0."""

TROUBLES: tuple[Trouble, ...] = (
    # 陈晓雯
    Trouble("dws_trade_order_di", PLATFORM),
    Trouble("dws_trade_area_di", SCHEMA_MISMATCH, nights=(0, 1, 2)),
    Trouble("ads_promotion_effect_daily", TABLE_NOT_FOUND, nights=(0, 1)),
    Trouble("dws_trade_live_di", QUALITY),
    Trouble("dwd_trade_pay_event_hi", LOCK, hours=(4,)),
    Trouble("ads_presale_board_daily", WRONG_PARAMETER),
    Trouble("ads_gmv_brand_daily", PARTITION_MISSING, nights=(1,)),
    # ods_ingest
    Trouble("ods_service_complaint_di", MYSQL_REFUSED),
    Trouble("ods_finance_tax_item_df", MYSQL_DENIED, nights=(0, 1)),
    Trouble("ods_shop_staff_df", DIRTY_RECORDS, nights=(0, 1)),
    Trouble("ods_log_live_watch_hi", KAFKA_OFFSET, hours=(3,)),
    Trouble("ods_log_h5_view_hi", KAFKA_TIMEOUT, hours=(7,)),
    Trouble("ods_exchange_rate_df", NO_COMMAND),
    Trouble("ods_weather_area_df", QUIET),
    Trouble("ods_ad_cost_di", MYSQL_REFUSED, nights=(2,)),
    # dwd
    Trouble("dwd_finance_channel_bill_di", QUALITY, nights=(0, 2)),
    Trouble("dwd_traffic_search_hi", NO_CONTAINERS, hours=(5, 6)),
    Trouble("dwd_traffic_share_di", LOCK),
    Trouble("dwd_traffic_device_di", TIMEOUT),
    # dws
    Trouble("dws_shop_comment_di", SYNTAX),
    Trouble("dws_logistics_timeliness_di", NO_CONTAINERS),
    Trouble("dws_user_path_di", OUT_OF_MEMORY),
    Trouble("dws_user_points_di", LOCK, nights=(0, 1)),
    Trouble("dws_user_h5_di", DISK_FULL),
    Trouble("dws_trade_nd_df", HANG),
    # ads and algorithms
    Trouble("ads_price_compare_daily", PARTITION_MISSING),
    Trouble("ads_risk_order_list_daily", NO_PERMISSION, nights=(1,)),
    Trouble("ads_risk_board_daily", NO_PERMISSION, nights=(0, 1)),
    Trouble("ads_tax_invoice_daily", WRONG_PARAMETER, nights=(0, 1)),
    Trouble("ads_warehouse_load_daily", PLATFORM),
    Trouble("ads_search_hot_word_daily", KILLED),
    Trouble("export_stock_alert_to_mysql", MYSQL_REFUSED, nights=(0, 1)),
    Trouble("algo_item_embedding_df", OUT_OF_MEMORY, nights=(0, 1)),
    Trouble("algo_price_elasticity_df", KEY_ERROR, nights=(0, 1, 2)),
    Trouble("algo_comment_topic_di", NO_MODULE),
    Trouble("algo_rank_feature_di", KILLED),
    Trouble("algo_live_recommend_df", HANG),
    Trouble("algo_demand_forecast_df", HANG),
)

SPARK_GROUP = Queue(
    "资源组 rg_spark_batch 已满,排队中", ("dws_trade_nd_df", "algo_live_recommend_df"), group="rg_spark_batch"
)
PYTHON_RULE = Queue("命中限流规则,等待下发", ("algo_demand_forecast_df",), rule="algo_feature: Python 任务并发上限 1")
QUEUES: Mapping[str, Queue] = {
    "dws_user_retention_di": SPARK_GROUP,
    "dws_user_lifecycle_df": SPARK_GROUP,
    "algo_search_synonym_df": PYTHON_RULE,
    "algo_fraud_score_di": PYTHON_RULE,
}
"""Tonight only; the tasks that hold them hang."""

FLAGS: Mapping[str, Flags] = {
    "dws_user_address_df": Flags(frozen=True),
    "ads_red_packet_effect_daily": Flags(frozen=True),
    "ods_item_image_audit_di": Flags(dry_run=True),
    "ads_member_level_daily": Flags(dry_run=True),
}
"""Tasks that a person has frozen, or set to succeed without running."""

SLOW: Mapping[str, float] = {"dws_user_visit_di": 7.0, "dwd_logistics_freight_di": 20.0}
"""Tasks that succeed tonight, but take so many times as long as usual: their tables are late."""

EMPTY = frozenset({"ods_weather_area_df", "dws_logistics_return_di"})
"""Tasks that succeed tonight and write no rows."""
