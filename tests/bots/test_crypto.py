"""Signatures and envelopes: known answers, round trips, and nothing but our own errors for whatever arrives."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.crypto import FeishuEnvelope, feishu_signature, fresh, same
from core.errors import BadInput, BadSignature
from tests.fakes.feishu_events import seal

anything = st.text(st.characters(exclude_categories=[]))


def test_opens_the_envelope_of_feishus_documentation() -> None:
    sealed = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="

    assert FeishuEnvelope("test key").open(sealed) == b"hello world"


def test_signs_timestamp_nonce_key_and_body_in_this_order() -> None:
    # sha256("1700000000" "n" "key" "{}"), computed with coreutils' sha256sum
    expected = "633e82f132a6f2ce6f2bc7b2baecdc6aa160c369623b965706461836eb55f2a6"

    assert feishu_signature("1700000000", "n", "key", b"{}") == expected


@given(st.binary(max_size=200), st.text(min_size=1, max_size=20))
def test_opens_whatever_feishu_seals(plain: bytes, key: str) -> None:
    assert FeishuEnvelope(key).open(seal(plain, key)) == plain


@given(anything | st.binary(max_size=200).map(lambda raw: seal(raw, "another key")))
def test_what_cannot_be_opened_is_bad_input_or_noise(sealed: str) -> None:
    """A wrong key is noticed by its padding in all but one of 256 cases; JSON parsing notices the rest."""
    with suppress(BadInput):
        assert isinstance(FeishuEnvelope("key").open(sealed), bytes)


@given(anything, anything)
def test_compares_any_two_texts(given_text: str, expected: str) -> None:
    if given_text == expected != "":
        same(given_text, expected)
    else:
        with pytest.raises(BadSignature):
            same(given_text, expected)


def test_an_empty_secret_of_ours_matches_nothing() -> None:
    with pytest.raises(BadSignature):
        same("", "")


@pytest.mark.parametrize("timestamp", ["1000", "1300", "700"])
def test_accepts_five_minutes_either_way(timestamp: str) -> None:
    fresh(timestamp, now=1000)


@pytest.mark.parametrize("timestamp", ["699", "1301", "", "nan", "inf", "now", "1" * 5000])
def test_refuses_old_future_and_senseless_times(timestamp: str) -> None:
    with pytest.raises(BadSignature):
        fresh(timestamp, now=1000)


@given(anything)
def test_a_timestamp_is_fresh_or_refused(timestamp: str) -> None:
    try:
        fresh(timestamp, now=0.0)
    except BadSignature:
        return
    assert abs(float(timestamp)) <= 300
