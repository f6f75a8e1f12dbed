"""Text of any shape into typed alerts: JSON, labelled lines, and sentences, by tables an engineer can add to in a minute.

`keys.toml` says which field a label means, `sentences.toml` which sentences name what. `read` never raises, looks at no
more than 200,000 characters, and returns at most 200 alerts; `Reading.left_out` says when there was more.
"""

from core.alerts.model import Alert, AlertObject, Reading
from core.alerts.reading import read

__all__ = ["Alert", "AlertObject", "Reading", "read"]
