"""Messengers and HTTP: translation between their bytes and `core`. Nothing is decided here."""

import gc

gc.set_threshold(10_000, 50)  # what imports make stays; looking for garbage in it was a tenth of the start
