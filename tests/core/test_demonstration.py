"""The demonstration's night, diagnosed whole: each failure gets its cause, and no healthy run is suspected."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.diagnosis import diagnose
from core.diagnosis.model import Cause, Diagnosis
from core.schedulers.base import Instance, InstanceQuery, Status
from core.schedulers.fleet import Fleet
from core.schedulers.simulated import SimulatedScheduler
from core.settings import SchedulerConnection
from core.tools.evidence import gather

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
CAUSES = {
    "dws_trade_order_di": Cause.PLATFORM,
    "dws_trade_area_di": Cause.SCHEMA_MISMATCH,
    "ads_promotion_effect_daily": Cause.MISSING_OBJECT,
    "ads_price_compare_daily": Cause.MISSING_OBJECT,
    "dws_trade_live_di": Cause.DATA_QUALITY,
    "ods_shop_staff_df": Cause.DATA_QUALITY,
    "dwd_traffic_share_di": Cause.LOCK_CONFLICT,
    "ads_tax_invoice_daily": Cause.CONFIGURATION,
    "ods_log_live_watch_hi": Cause.CONFIGURATION,
    "ods_service_complaint_di": Cause.NETWORK,
    "ods_finance_tax_item_df": Cause.PERMISSION,
    "ads_risk_board_daily": Cause.PERMISSION,
    "ods_log_h5_view_hi": Cause.TIMEOUT,
    "dwd_traffic_device_di": Cause.TIMEOUT,
    "ods_exchange_rate_df": Cause.ENVIRONMENT,
    "algo_comment_topic_di": Cause.ENVIRONMENT,
    "algo_price_elasticity_df": Cause.CODE_ERROR,
    "dws_shop_comment_di": Cause.SQL_ERROR,
    "dws_user_path_di": Cause.OUT_OF_MEMORY,
    "dwd_traffic_search_hi": Cause.RESOURCE_SHORTAGE,
    "dws_user_h5_di": Cause.RESOURCE_SHORTAGE,
    "dws_user_lifecycle_df": Cause.RESOURCE_SHORTAGE,
    "ads_search_hot_word_daily": Cause.KILLED,
    "dws_user_address_df": Cause.KILLED,
    "ods_weather_area_df": Cause.NETWORK,
    "dws_logistics_return_di": Cause.DATA_QUALITY,
}
"""Task to cause; the last two ended successful, and are not."""


@pytest.fixture(scope="module")
def night() -> list[tuple[Instance, Diagnosis]]:
    """Every instance of the day that is not merely waiting for its time, with its diagnosis."""
    return asyncio.run(_diagnosed())


async def _diagnosed() -> list[tuple[Instance, Diagnosis]]:
    scheduler = SimulatedScheduler(SchedulerConnection(name="demo", kind="simulated"), clock=lambda: NOW)
    fleet = Fleet([scheduler])
    page = await scheduler.instances(InstanceQuery(day=NOW.date(), limit=1000))
    ended = [one for one in page.items if one.status.finished or one.status is Status.WAIT_RESOURCE]
    return [(instance, diagnose(await gather(fleet, instance, NOW))) for instance in ended]


def test_each_failure_gets_its_cause(night: list[tuple[Instance, Diagnosis]]) -> None:
    """Through the scheduler, the evidence and the checks; a false success counts as a failure."""
    found = {
        instance.task.name: diagnosis.cause for instance, diagnosis in night if diagnosis.cause in set(CAUSES.values())
    }
    assert {name: found.get(name) for name in CAUSES} == CAUSES


def test_no_failure_is_left_unexplained_and_no_healthy_run_suspected(night: list[tuple[Instance, Diagnosis]]) -> None:
    """Some five hundred runs went well, and the diagnosis says so."""
    unexplained = [one.task.name for one, diagnosis in night if one.status.failed and diagnosis.cause is Cause.UNKNOWN]
    healthy = {one.task.name for one, _ in night if one.status is Status.SUCCESS} - set(CAUSES)
    suspected = {
        one.task.name
        for one, diagnosis in night
        if diagnosis.cause is not Cause.SUCCESS_OR_HEALTHY and one.status is Status.SUCCESS
    }
    assert unexplained == []
    assert suspected & healthy == set()
