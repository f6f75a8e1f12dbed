"""Calls of a blocking SDK: in threads, in step with a quota, silent after a refusal, failing in our own errors."""

import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest
from alibabacloud_credentials.exceptions import CredentialException

from core.errors import Refused, Throttled, Unauthorized, Unreachable
from core.schedulers.aliyun import ATTEMPTS, PATIENCE, SPENT_PAUSE, Calls, failure, lost

FAST = 10_000.0


class Time:
    """A clock that only sleep moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        """The present."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.now += seconds


class Platform:
    """Answers, or refuses as often as it is told to."""

    def __init__(self, refusals: int = 0, code: str = "Throttling.User", retry_after: float = 0.0) -> None:
        self.refusals = refusals
        self.code = code
        self.retry_after = retry_after
        self.asked = 0
        self.threads: set[str] = set()

    def answer(self) -> str:
        """A call."""
        self.asked += 1
        self.threads.add(threading.current_thread().name)
        if self.asked <= self.refusals:
            raise failure("dw", self.code, "slow down", retry_after=self.retry_after)
        return "answer"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def calls(time: Time) -> AsyncGenerator[Calls]:
    one = Calls("dw", per_second=FAST, concurrency=4, clock=time.clock, sleep=time.sleep)
    yield one
    one.close()


async def test_a_call_is_made_off_the_loop_in_threads_of_its_own(calls: Calls) -> None:
    platform = Platform()
    assert await calls.run(platform.answer) == "answer"
    assert all(name.startswith("dw-call") for name in platform.threads)


async def test_no_more_calls_are_under_way_than_allowed(calls: Calls) -> None:
    """Twenty callers, four threads: a fifth call begins when one of the four has ended."""
    under_way, most, lock, may_end = [0], [0], threading.Lock(), threading.Barrier(4)

    def call() -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        may_end.wait(timeout=5)
        with lock:
            under_way[0] -= 1

    await asyncio.gather(*(calls.run(call) for _ in range(20)))
    assert most[0] == 4


async def test_calls_keep_the_pace() -> None:
    """Five calls at a hundred a second take four hundredths."""
    calls = Calls("dw", per_second=100, concurrency=4)
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.gather(*(calls.run(Platform().answer) for _ in range(5)))
    assert loop.time() - start >= 0.035
    calls.close()


async def test_a_read_is_tried_again_after_a_silence_that_grows(calls: Calls, time: Time) -> None:
    platform = Platform(refusals=ATTEMPTS - 1)
    assert await calls.run(platform.answer, attempts=ATTEMPTS) == "answer"
    assert platform.asked == ATTEMPTS
    first, second = time.slept
    assert 0.5 <= first <= 0.75
    assert 1.0 <= second <= 1.5


async def test_the_platforms_own_wish_is_respected(calls: Calls, time: Time) -> None:
    assert await calls.run(Platform(refusals=1, retry_after=3.0).answer, attempts=ATTEMPTS) == "answer"
    assert time.slept == [pytest.approx(3.0)]


async def test_an_order_is_never_given_twice(calls: Calls) -> None:
    platform = Platform(refusals=1)
    with pytest.raises(Throttled):
        await calls.run(platform.answer)
    assert platform.asked == 1


async def test_a_hundred_questions_in_a_refusal_are_no_storm(calls: Calls, time: Time) -> None:
    """While the platform refuses everything, each question fails, and most without a call."""
    platform = Platform(refusals=10_000)
    asked = [calls.run(platform.answer, attempts=ATTEMPTS) for _ in range(100)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(outcome, Throttled) for outcome in outcomes)
    assert platform.asked <= 30
    assert max(time.slept) <= PATIENCE


async def test_a_daily_limit_is_asked_once_and_then_left_alone(calls: Calls, time: Time) -> None:
    platform = Platform(refusals=1, code="Throttling.Api.Risk")
    with pytest.raises(Throttled):
        await calls.run(platform.answer, attempts=ATTEMPTS)
    with pytest.raises(Throttled) as refusal:
        await calls.run(platform.answer, attempts=ATTEMPTS)
    assert (platform.asked, time.slept) == (1, [])
    assert refusal.value.retry_after == pytest.approx(SPENT_PAUSE)
    time.now += SPENT_PAUSE
    assert await calls.run(platform.answer, attempts=ATTEMPTS) == "answer"


async def test_an_answer_ends_the_growing_of_silences(calls: Calls, time: Time) -> None:
    for _ in range(4):
        await calls.run(Platform(refusals=1).answer, attempts=ATTEMPTS)
    assert all(seconds <= 0.75 for seconds in time.slept)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Throttling", 400, Throttled),
        ("Throttling.Api", 429, Throttled),
        ("InvalidAccessKeyId.NotFound", 404, Unauthorized),
        ("InvalidSecurityToken.Expired", 400, Unauthorized),
        ("SignatureDoesNotMatch", 400, Unauthorized),
        ("NoPermission", 403, Refused),
        ("InternalError.System", 500, Unreachable),
        ("", 502, Unreachable),
        ("", 200, Refused),
    ],
)
def test_errors_are_told_apart_by_code(code: str, status: int, kind: type[Exception]) -> None:
    error = failure("dw", code, "words", status=status)
    assert type(error) is kind
    assert error.code == (code or str(status))


def test_what_comes_with_a_refused_signature_is_not_kept() -> None:
    """The platform repeats the request it refused, session token included."""
    error = failure("dw", "SignatureDoesNotMatch", "server string: x-acs-security-token:CAIS-secret", status=400)
    assert "CAIS" not in str(error)


def test_that_there_are_no_credentials_is_said_as_such() -> None:
    assert isinstance(lost("dw", CredentialException("unable to load credentials")), Unauthorized)


def test_the_platforms_words_are_masked_and_short() -> None:
    error = failure("dw", "InvalidParameter", "password=hunter2hunter2 " + "x" * 5000, status=400)
    assert "hunter2" not in str(error)
    assert len(str(error)) < 400
