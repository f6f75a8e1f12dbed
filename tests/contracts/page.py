"""docs/schedulers.md, made from the contract suite, what schedulers say of themselves, and the costs that tests expect.

`python -m tests.contracts.page` writes it anew; `test_page.py` sees that it was.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from core.schedulers.base import Capability, Operation
from core.schedulers.mirror.scheduler import TOLD
from tests.airflow.test_contract import TestAirflow
from tests.contracts.offers import OffersContract
from tests.contracts.schedulers import SchedulerContract
from tests.contracts.test_schedulers import TestSimulated
from tests.core.costs import AIRFLOW, DATAPHIN, DATAWORKS, DOLPHINSCHEDULER, Cost
from tests.core.test_dataphin_contract import TestDataphin
from tests.core.test_dataworks_contract import TestDataWorks
from tests.core.test_dolphin_contract import TestDolphin31, TestDolphin32, TestDolphin34
from tests.core.test_mirror_contract import TestMirror

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/schedulers.md"
PROSE: Final = Path(__file__).with_name("schedulers.md")
"""The page without its tables; `<!-- name -->` stands where one belongs."""

SUITES: Final[Mapping[str, Mapping[str, type[SchedulerContract]]]] = {
    "simulated": {"": TestSimulated},
    "mirror": {"": TestMirror},
    "airflow": {"": TestAirflow},
    "dataworks": {"": TestDataWorks},
    "dataphin": {"": TestDataphin},
    "dolphinscheduler": {"3.4": TestDolphin34, "3.2": TestDolphin32, "3.1": TestDolphin31},
}
"""By scheduler, the suites that run over it; several where versions differ."""

NOT_OFFERED: Final[Mapping[tuple[str, str], str]] = {
    ("airflow", "changes"): "its API keeps no record of changes to a DAG that could be asked for",
    ("airflow", "baselines"): "Airflow has none",
    ("dataphin", "baselines"): "its OpenAPI has no operation for them",
    ("dolphinscheduler", "baselines"): "DolphinScheduler has none",
    ("dolphinscheduler 3.1", "rerun_downstream"): "no `execute-task`: chosen tasks cannot run again",
}
"""Why not; `test_page.py` holds these to what the schedulers say of themselves."""

COSTS: Final[Mapping[str, Cost]] = {
    "airflow": AIRFLOW,
    "dataworks": DATAWORKS,
    "dataphin": DATAPHIN,
    "dolphinscheduler": DOLPHINSCHEDULER,
}


def page() -> str:
    """The whole page."""
    tables = {"tells": _tells(), "does": _does(), "promises": _promises(), "costs": _costs()}
    text = PROSE.read_text("utf-8")
    for name, lines in tables.items():
        text = text.replace(f"<!-- {name} -->\n", "".join(f"{line}\n" for line in lines))
    return text


def promises() -> tuple[str, ...]:
    """Names of the tests that each suite runs, but for those of single capabilities and operations."""
    names = [name for name in vars(SchedulerContract) if name.startswith("test_")]
    return tuple(name for name in names if name not in vars(OffersContract))


def deviation(suite: type[SchedulerContract], test: str) -> str:
    """Why a suite does not keep a promise; empty where it does. A test that is skipped is a mistake of the suite's."""
    marks = list(getattr(getattr(suite, test), "pytestmark", ()))
    for mark in marks:
        if mark.name in {"skip", "skipif"} or (mark.name == "xfail" and not mark.kwargs.get("strict")):
            raise AssertionError(f"{suite.__name__}.{test} may be left out unnoticed")
    return next((str(mark.kwargs["reason"]) for mark in marks if mark.name == "xfail"), "")


def _heading(first: str) -> Iterator[str]:
    yield f"| {first} | {' | '.join(map(_linked, SUITES))} |"
    yield "|---" * (len(SUITES) + 1) + "|"


def _linked(scheduler: str) -> str:
    file = next(iter(SUITES[scheduler].values())).__module__.replace(".", "/")
    return f"[{scheduler}](../{file}.py)"


def _tells() -> Iterator[str]:
    yield from _heading("what it can tell")
    for capability in Capability:
        cells = [_offered(scheduler, capability) for scheduler in SUITES]
        cells[1] += "" if capability in TOLD else " by its `api`"
        yield f"| `{capability}` | {' | '.join(cells)} |"


def _does() -> Iterator[str]:
    yield from _heading("what it can do")
    for operation in Operation:
        cells = [_offered(scheduler, operation) for scheduler in SUITES]
        cells[1] += " by its `api`"
        yield f"| `{operation}` | {' | '.join(cells)} |"


def _offered(scheduler: str, what: str) -> str:
    if reason := NOT_OFFERED.get((scheduler, what)):
        return f"– {reason}"
    reasons = {version: NOT_OFFERED.get((f"{scheduler} {version}", what)) for version in SUITES[scheduler]}
    return "; ".join(["✓", *(f"{version}: – {reason}" for version, reason in reasons.items() if reason)])


def _promises() -> Iterator[str]:
    yield from _heading("promise, by the name of its test")
    for test in promises():
        cells = [_kept(suites, test) for suites in SUITES.values()]
        yield f"| {test.removeprefix('test_').replace('_', ' ')} | {' | '.join(cells)} |"


def _kept(suites: Mapping[str, type[SchedulerContract]], test: str) -> str:
    reasons = {version: reason for version, suite in suites.items() if (reason := deviation(suite, test))}
    kept = ["✓"] if len(reasons) < len(suites) else []
    return "; ".join([*kept, *(f"{version}: – {reason}".removeprefix(": ") for version, reason in reasons.items())])


def _costs() -> Iterator[str]:
    yield "| | overview | the same again | list of failures | one diagnosis | refused, 100 people asking | quota |"
    yield "|---|---:|---|---:|---:|---:|---|"
    for scheduler, cost in COSTS.items():
        again = f"0 within {cost.remembered:.0f} s" if cost.remembered else str(cost.overview)
        name = f"[{scheduler}](../tests/core/{cost.test})"
        yield (
            f"| {name} | {cost.overview} | {again} | {cost.failed} | {cost.diagnosis} | at most {cost.refused} | {cost.quota} |"
        )
    yield "| mirror | 0 | 0 | 0 | what its `api` costs for log, lineage and promises | 0 | none |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
