"""Apache DolphinScheduler 3.1 to 3.4, through its REST API."""

from core.schedulers.dolphinscheduler.scheduler import DolphinScheduler

__all__ = ["DolphinScheduler"]
