"""From a confirming click to the end of the run: without a model, once, and true after a crash."""

from core.execution.carrying import UNKNOWN_FOR, Queue
from core.execution.execution import SWEEP, Execution
from core.execution.gate import Gate
from core.execution.register import Render, subject

__all__ = ["SWEEP", "UNKNOWN_FOR", "Execution", "Gate", "Queue", "Render", "subject"]
