"""The agent, its middleware, its history, and the offline model.

`langchain` is imported here and in `core/tools` only, and not before the first question that needs it: importing this
package loads none of it.
"""

from core.agent.agent import Agent
from core.agent.answer import Answer, Call

__all__ = ["Agent", "Answer", "Call"]
