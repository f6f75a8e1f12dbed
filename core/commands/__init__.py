"""What is answered without a model: the words a person types after a slash and the words that buttons carry are the same.

A click is input like any other: its arguments name things, and the handler checks rights and state itself.
"""

from core.commands.approving import approving
from core.commands.deciding import deciding
from core.commands.looking import looking
from core.commands.people import people
from core.commands.subscribing import subscribing
from core.commands.table import Asked, Command, Commands
from core.commands.watching import watching

__all__ = ["Asked", "Command", "Commands", "approving", "deciding", "looking", "people", "subscribing", "watching"]
