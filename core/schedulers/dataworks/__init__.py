"""DataWorks of Alibaba Cloud, through its OpenAPI of 2024-05-18 and, for what only that has, of 2020-05-18."""

from core.schedulers.dataworks.scheduler import DataWorksScheduler

__all__ = ["DataWorksScheduler"]
