"""Dataphin of Alibaba Cloud, public or on premises, through its OpenAPI of 2023-06-30."""

from core.schedulers.dataphin.scheduler import DataphinScheduler

__all__ = ["DataphinScheduler"]
