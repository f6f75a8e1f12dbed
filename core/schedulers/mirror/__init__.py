"""A scheduler as told by its events: read from the store, without asking anybody."""

from core.schedulers.mirror.scheduler import MirrorScheduler

__all__ = ["MirrorScheduler"]
