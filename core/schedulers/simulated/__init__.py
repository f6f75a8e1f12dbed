"""The embedded demonstration: one believable night of a Chinese shop's data platform, played from a seed.

`tasks.txt` is the platform, `troubles.py` what goes wrong tonight, `logs/*.txt` what the engines wrote; `night.py` plays
them out, `scheduler.py` answers questions and takes orders.
"""

from core.schedulers.simulated.scheduler import SimulatedScheduler

__all__ = ["SimulatedScheduler"]
