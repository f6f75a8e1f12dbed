"""Messengers and HTTP: translation between their bytes and `core`. Nothing is decided here."""

import gc

gc.set_threshold(10_000)  # what imports make stays: looking through it every 700 objects costs a fifth of the start
