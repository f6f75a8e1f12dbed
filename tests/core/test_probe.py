"""`Agent.probe` says what is wrong with a configured model, in our errors, and repeats nothing secret."""

import pytest
from pydantic import SecretStr

from core.errors import ConfigurationError, Refused, RemoteError, Throttled, Unauthorized, Unreachable
from core.settings import Model
from core.store import Store
from tests.core.test_agent import Bench, configured
from tests.fakes.openai import Says, says, serving

KEY = "sk-test-only"
REPEATS_THE_KEY = f'{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}'

ANSWERS: dict[str, tuple[Says, type[RemoteError], str]] = {
    "the key is wrong": (Says(raw=REPEATS_THE_KEY, status=401), Unauthorized, "401"),
    "the key may not do this": (Says(raw=REPEATS_THE_KEY, status=403), Unauthorized, "403"),
    "too many calls": (Says(raw="{}", status=429), Throttled, "429"),
    "no such model": (Says(raw=REPEATS_THE_KEY, status=404), Refused, "404"),
    "the server is broken": (Says(raw="{}", status=500), Refused, "500"),
    "it never answers": (Says(hangs=True), Unreachable, "late"),
}


@pytest.mark.parametrize("case", sorted(ANSWERS))
async def test_what_is_wrong_is_named_and_the_key_is_not(sqlite_store: Store, case: str) -> None:
    answer, kind, code = ANSWERS[case]
    async with serving(says(answer)) as fake:
        settings = configured(fake).model_copy(update={"timeout_seconds": 0.5})
        with pytest.raises(kind) as raised:
            await Bench(sqlite_store, settings).agent.probe()
    assert raised.value.code == code
    assert KEY not in f"{raised.value} {raised.value!r} {raised.value.details} {raised.value.__cause__}"


async def test_something_else_at_the_address_is_refused(sqlite_store: Store) -> None:
    async with serving(says(Says(raw="<html>login</html>"))) as fake:
        with pytest.raises(Refused):
            await Bench(sqlite_store, configured(fake)).agent.probe()


async def test_a_model_that_answers_passes_and_was_asked_for_next_to_nothing(sqlite_store: Store) -> None:
    async with serving(says(Says("pong"))) as fake:
        await Bench(sqlite_store, configured(fake)).agent.probe()
    (body,) = fake.requests
    assert body.get("max_completion_tokens", body.get("max_tokens")) == 16
    assert "tools" not in body


async def test_a_port_nobody_listens_on_is_unreachable(sqlite_store: Store) -> None:
    gone = Model(name="fake", base_url="http://127.0.0.1:9/v1", api_key=SecretStr(KEY))
    with pytest.raises(Unreachable):
        await Bench(sqlite_store, gone).agent.probe()


@pytest.mark.parametrize("provider", ["no_such_provider", "anthropic"])
async def test_a_provider_that_is_not_installed_is_a_matter_of_settings(sqlite_store: Store, provider: str) -> None:
    """`xops doctor` says so; a question is answered by the rules all the same."""
    bench = Bench(sqlite_store, Model(name="some-model", provider=provider))
    with pytest.raises(ConfigurationError):
        await bench.agent.probe()
    assert (await bench.ask("昨晚怎么样")).source == "rules"


async def test_a_key_that_is_missing_is_a_matter_of_settings(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigurationError):
        await Bench(sqlite_store, Model(name="some-model")).agent.probe()
