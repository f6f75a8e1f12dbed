"""How many calls a question costs each scheduler: what the tests of costs expect, and what docs/schedulers.md says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls once names and definitions are known, with 10,000 instances on the day in one project.

    Attributes:
        overview: for the first; the same again within `remembered` costs none.
        failed: the list of failures, alone.
        diagnosis: of one failed instance.
        refused: most calls while the platform says "slow down" to everything and a hundred people ask for the overview.
        remembered: seconds for which lists and counts are remembered.
        quota: what the platform allows.
        test: where it is tested.
    """

    overview: int
    failed: int
    diagnosis: int
    refused: int
    remembered: float
    quota: str
    test: str


DATAWORKS = Cost(
    3,
    1,
    15,
    3,
    15,
    "by edition: Basic 5 a second and 100 a day; Standard, Professional 5 a second; Enterprise 50 to read, 20 to write",
    "test_dataworks_cost.py",
)
DATAPHIN = Cost(
    11, 1, 17, 3, 15, "none documented; X-Ops makes at most 20 a second (`calls_per_second`)", "test_dataphin_cost.py"
)
DOLPHINSCHEDULER = Cost(
    29,
    27,
    17,
    8,
    15,
    "none unless `api.traffic-control` is set; at most 8 at once (`concurrency`)",
    "test_dolphin_cost.py",
)
AIRFLOW = Cost(13, 1, 9, 8, 0, "none; at most 8 at once", "test_airflow_cost.py")
