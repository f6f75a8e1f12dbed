"""Which flow decides about a request, and at which level of risk: pure, and able to say why.

The flow is the first by rank that covers the target, then by how exactly it names it. The level is the highest that anything
in the request reaches. Whatever is not known counts as the worst: a missing fact leads to the highest level.
"""

from collections.abc import Iterable, Iterator

from core.approvals.model import Flow, Level, Match, Range, Request, Scope


def match(flows: Iterable[Flow], request: Request) -> Match | None:
    """The flow and level of a request; None when no enabled flow covers it."""
    covering = [(flow, exactness(flow.scope, request)) for flow in flows if _usable(flow, request)]
    found = [(flow.rank, -exact, flow.id, flow) for flow, exact in covering if exact is not None]
    return classify(min(found, key=lambda entry: entry[:3])[-1], request) if found else None


def exactness(scope: Scope, request: Request) -> int | None:
    """3 when the scope names the scheduler, 2 the environment, 1 the project, 0 for everything; None when not covered."""
    if request.scheduler in scope.schedulers:
        return 3
    if request.environment in scope.environments:
        return 2
    if {request.project, f"{request.scheduler}:{request.project}"} & set(scope.projects):
        return 1
    return None if scope.schedulers or scope.environments or scope.projects else 0


def classify(flow: Flow, request: Request) -> Match:
    """The level of a request within a flow."""
    highest = len(flow.levels)
    if highest == 1:
        return Match(flow, 1, "only")
    if missing := next(_missing(flow.levels, request), ""):
        return Match(flow, highest, "unknown", missing)
    reached: list[tuple[int, str]] = []
    for operation in request.operations or ("",):
        holding = [number for number, level in enumerate(flow.levels, 1) if _holds(level, operation, request)]
        if not holding:
            return Match(flow, highest, "none", operation)
        reached.append((max(holding), operation))
    level, operation = max(reached, key=lambda entry: entry[0])
    return Match(flow, level, "fits", operation)


def _usable(flow: Flow, request: Request) -> bool:
    return flow.enabled and flow.task_type == request.task_type


def _missing(levels: Iterable[Level], request: Request) -> Iterator[str]:
    """Names of facts that some level asks for and nobody knows."""
    for level in levels:
        yield from (each.measure for each in level.ranges if each.measure not in request.facts)
        if level.environments and not request.environment:
            yield "environment"
        if level.operations and not request.operations:
            yield "operation"


def _holds(level: Level, operation: str, request: Request) -> bool:
    return (
        (not level.operations or operation in level.operations)
        and (not level.environments or request.environment in level.environments)
        and all(_within(each, request.facts[each.measure]) for each in level.ranges)
    )


def _within(limits: Range, count: int) -> bool:
    return limits.least <= count and (limits.most is None or count <= limits.most)
