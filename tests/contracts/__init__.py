"""Suites that every implementation of a seam must pass."""

import pytest

pytest.register_assert_rewrite("tests.contracts.schedulers")
