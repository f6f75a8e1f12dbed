"""Promises: how many, how long, and on which days people work."""

from datetime import date

from pydantic import Field

from core.settings.section import Section


class WatchSettings(Section):
    """Follows, mutes, deadlines and daily cards."""

    per_person: int = Field(default=50, ge=1, le=500)
    """Most promises one person may have at a time."""
    mute_hours_operator: float = Field(default=4, gt=0, le=720)
    """Longest an operator may mute something; nobody may mute for ever."""
    mute_hours_ops_admin: float = Field(default=24, gt=0, le=720)
    mute_hours_admin: float = Field(default=168, gt=0, le=720)
    acknowledge_minutes: int = Field(default=10, ge=1, le=240)
    """When nobody who was called about a missed deadline answers for so long, the next one is called."""
    holidays: tuple[date, ...] = ()
    """Days off beside Saturdays and Sundays, on which cards for working days do not come."""
    workdays: tuple[date, ...] = ()
    """Saturdays and Sundays on which people work."""
