"""The one list of modules that own a table.

A table exists for migrations and tests once its module is imported, so whoever needs all of them asks here.
"""

from importlib import import_module

from sqlalchemy import MetaData

from core.store.database import metadata

OWNERS = (
    "core.audit",
    "core.inbox",
    "core.agent.history",
    "core.replicas",
    "core.proposals",
    "core.delivery",
    "core.web_cards",
    "core.leases",
    "core.sent_cards",
    "core.approvals.flows",
    "core.approvals.tickets",
    "core.people.register",
    "core.people.linking",
    "core.switches",
    "core.events.journal",
    "core.effects.outbox",
    "core.effects.held",
    "core.subscriptions.service",
    "core.extensions.points",
    "core.watches.register",
    "core.watches.storm",
    "core.schedulers.mirror.changes",
    "core.schedulers.mirror.feed",
    "core.schedulers.mirror.instances",
    "core.schedulers.mirror.members",
    "core.schedulers.mirror.tasks",
)
"""Modules that declare tables on `core.store.metadata`. Add yours, then add a migration (core/store/migrate.py)."""


def declared() -> MetaData:
    """`metadata` with every table of X-Ops in it."""
    for owner in OWNERS:
        import_module(owner)
    return metadata
