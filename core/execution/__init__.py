"""From a confirming click to the end of the run: without a model, once, and true after a crash."""

from core.execution.carrying import UNKNOWN_FOR, Execution, Queue, Render, subject
from core.execution.gate import Gate

__all__ = ["UNKNOWN_FOR", "Execution", "Gate", "Queue", "Render", "subject"]
