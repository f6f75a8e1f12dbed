"""Messengers and HTTP: translation between their bytes and `core`. Nothing is decided here."""
