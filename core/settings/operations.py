"""Limits of what is proposed."""

from pydantic import Field

from core.settings.section import Section


class Operations(Section):
    """Operations: how much one proposal may touch."""

    largest_batch: int = Field(default=20, ge=1, le=100)
    """Most instances of one proposal; what is riskier takes fewer still."""
    backfill_days: int = Field(default=31, ge=1, le=366)
    """Most days of one backfill."""
