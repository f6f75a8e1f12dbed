"""Why an instance failed or does not start: pure functions over evidence. No model, no network, no clock."""

from core.diagnosis.log import read_log
from core.diagnosis.verdict import diagnose

__all__ = ["diagnose", "read_log"]
