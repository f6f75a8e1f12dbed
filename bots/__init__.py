"""Messengers and HTTP: translation between their bytes and `core`. Nothing is decided here."""

import gc

gc.set_threshold(10_000, 50)  # imports make what stays: looking for garbage in it cost a tenth of the start (decisions.md)
