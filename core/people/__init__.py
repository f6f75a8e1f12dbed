"""People beside those of the settings: kept in tables, managed by administrators, linked to their other messengers."""

from core.people.linking import Linking
from core.people.people import Administrator, People
from core.people.register import Register

__all__ = ["Administrator", "Linking", "People", "Register"]
