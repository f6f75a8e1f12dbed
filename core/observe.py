"""Logs, metrics and the trace id that ties one inbound event to everything it caused.

Logs are JSON lines on standard error (readable text on a terminal), without message texts: who, what, how long, outcome.
"""

import logging
import secrets
import sys
from typing import Any, TextIO, cast

import structlog
from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("xops_events_total", "Inbound events handled", ["channel", "type", "path", "outcome"])
REPLY_SECONDS = Histogram(
    "xops_reply_seconds",
    "From the start of handling to the last card sent",
    ["path"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
OPERATIONS = Counter("xops_operations_total", "Proposals by what became of them", ["operation", "state"])
WORK = Counter("xops_work_total", "Durable work by what became of it", ["kind", "outcome"])
INJECTIONS = Counter("xops_injected_lines_total", "Lines from outside that try to instruct the reader", ["where"])
READY = Gauge("xops_ready", "1 while this process accepts events")
CONNECTED = Gauge("xops_connected", "1 while the long connection of a messenger stands", ["channel"])


class _Stderr:
    """Standard error as it is at the moment of writing: loggers are kept, the stream may be replaced."""

    def write(self, text: str) -> int:
        """Write to it."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush it."""
        sys.stderr.flush()


def configure_logging(level: str) -> None:
    """Send structlog's and the standard library's records the same way. Called once by the application."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    human = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer(ensure_ascii=False)
    final = [renderer] if human else [structlog.processors.dict_tracebacks, renderer]
    threshold = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final]
    )
    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(threshold, logging.WARNING))  # libraries speak up only when something is wrong


def new_trace() -> str:
    """Start a trace in this context: 16 hexadecimal digits, shown to a person when something went wrong."""
    trace = secrets.token_hex(8)
    structlog.contextvars.bind_contextvars(trace=trace)
    return trace
