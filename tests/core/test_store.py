"""The store: what is committed together, and what does not take others along."""

from core.store import Store


async def test_write_returns_what_the_function_returned(store: Store) -> None:
    """A write hands back the function's result."""
    assert await store.write(lambda connection: connection.exec_driver_sql("SELECT 41 + 1").scalar_one()) == 42
