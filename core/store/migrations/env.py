"""Run by Alembic for each command of `core.store.migrate`, which hands over an open transaction."""

from typing import Any

from alembic import context

from core.store.types import Moment


def _render(kind: str, value: object, _context: object) -> Any:  # noqa: ANN401  # Alembic's protocol: text, or False
    return "sa.BigInteger()" if kind == "type" and isinstance(value, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
