"""The ways in for other systems, over HTTP: who is let in, what is refused, and what each sender hears."""

import asyncio
import gzip
import json

import pytest

from bots.events.desk import MOST_IN_A_BODY
from bots.events.door import Room
from core.errors import Busy, ConfigurationError
from core.settings import Settings
from tests.bots.conftest import OpenSite
from tests.bots.events_site import PATH, PUBLIC, TOKEN
from tests.core.event_samples import cloud_event, function_event, status_changed
from tests.fakes import eventbridge
from tests.fakes.eventbridge import EventBridge
from tests.fakes.wall_clock import WallClock

EVENT = json.dumps(status_changed(7, 6, 1652700577000, "e1")).encode()


@pytest.mark.parametrize("trailing", [False, True])
async def test_a_signed_push_is_stored(open_site: OpenSite, trailing: bool) -> None:
    """Signed as the vendor's text says, and as its sample does; the certificate is fetched once."""
    site = await open_site(bridge=EventBridge(WallClock(), trailing=trailing))
    assert await site.push(EVENT) == 200
    assert await site.push(json.dumps(status_changed(7, 6, 1, "e2")).encode()) == 200
    assert (site.applied, site.bridge.fetched) == (["e1", "e2"], 1)


async def test_the_query_of_the_address_is_signed_too(open_site: OpenSite) -> None:
    """As it was entered in the console."""
    site = await open_site()
    path = f"{PATH}?bus=prod%20one"
    assert await site.push(EVENT, path=path, url=PUBLIC + path) == 200
    assert await site.push(EVENT, path=path) == 401


@pytest.mark.parametrize("header", ["timestamp", "version", "url"])
async def test_a_changed_header_breaks_the_signature(open_site: OpenSite, header: str) -> None:
    """Each of them is signed."""
    site = await open_site()
    headers = site.bridge.signed(PUBLIC + PATH, EVENT)
    headers[f"x-eventbridge-signature-{header}"] += "0"
    assert (await site.post(PATH, EVENT, headers))[0] == 401


async def test_what_eventbridge_did_not_sign_is_refused(open_site: OpenSite) -> None:
    """Another body, another address, another key, no signature; nothing is stored, and nobody is told why."""
    site = await open_site()
    signed = site.bridge.signed(PUBLIC + PATH, EVENT)
    assert await site.post(PATH, EVENT + b" ", signed) == (401, {"error": "unauthorized"})
    assert await site.push(EVENT, url="https://elsewhere.example.com" + PATH) == 401
    assert (await site.post(PATH, EVENT))[0] == 401
    assert (await site.post(PATH, EVENT, {**signed, "x-eventbridge-signature-v2": "?"}))[0] == 401
    site.bridge.key = eventbridge.new_key(1)
    assert await site.push(EVENT) == 401
    assert (site.applied, await site.journal.dead()) == ([], [])


@pytest.mark.parametrize("seconds", [-61, 61, 3600])
async def test_an_old_or_future_push_is_refused(open_site: OpenSite, seconds: int) -> None:
    """A recording cannot be played back, and the certificate is not even fetched for it."""
    site = await open_site()
    headers = site.bridge.signed(PUBLIC + PATH, EVENT)
    site.clock.advance(seconds)
    assert (await site.post(PATH, EVENT, headers))[0] == 401
    assert site.bridge.fetched == 0


@pytest.mark.parametrize("seconds", [-59, 59])
async def test_clocks_may_differ_a_little(open_site: OpenSite, seconds: int) -> None:
    """By less than a minute either way."""
    site = await open_site()
    headers = site.bridge.signed(PUBLIC + PATH, EVENT)
    site.clock.advance(seconds)
    assert (await site.post(PATH, EVENT, headers))[0] == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://cn-shanghai-eventbridge.oss-accelerate.aliyuncs.com.evil.example/x.pem",
        "https://cn-shanghai-eventbridge.oss-accelerate.aliyuncs.com@evil.example/x.pem",
        "file:///etc/passwd",
        "",
    ],
)
async def test_certificates_come_from_the_pinned_host_only(open_site: OpenSite, url: str) -> None:
    """Whatever the request names, also when it looks alike."""
    site = await open_site()
    site.bridge.certificates = url.removesuffix("/x.pem")
    assert await site.push(EVENT) == 401
    assert site.bridge.fetched == 0


async def test_an_expired_certificate_is_not_trusted(open_site: OpenSite) -> None:
    """A kept one is fetched anew once it has expired, and what is no certificate is none."""
    site = await open_site()
    assert await site.push(EVENT) == 200
    site.clock.advance(2 * 86400)
    assert await site.push(EVENT) == 401
    site.bridge.pem = b"not a certificate"
    assert await site.push(EVENT) == 401
    site.bridge.pem = eventbridge.certificate(site.bridge.key, site.clock())
    assert await site.push(EVENT) == 200


async def test_a_certificate_out_of_reach_is_no_refusal(open_site: OpenSite) -> None:
    """EventBridge is asked to come back; one that is built in needs no fetching."""
    site = await open_site()
    site.bridge.failing = True
    assert await site.push(EVENT) == 503
    pinned = await open_site(eventbridge_certificate=site.bridge.pem.decode())
    assert await pinned.push(EVENT) == 200
    assert pinned.bridge.fetched == 0


async def test_the_targets_token_must_be_there(open_site: OpenSite) -> None:
    """When the settings name one."""
    site = await open_site(eventbridge_token="token-of-the-target")
    assert await site.push(EVENT) == 401
    site.bridge.token = "token-of-the-target"
    assert await site.push(EVENT) == 200


async def test_the_older_signature_needs_a_setting(open_site: OpenSite) -> None:
    """And then it is checked as strictly."""
    strict, lenient = await open_site(), await open_site(eventbridge_legacy=True)
    for site, status in ((strict, 401), (lenient, 200)):
        headers = site.bridge.signed_before(PUBLIC + PATH, EVENT)
        assert (await site.post(PATH, EVENT, headers))[0] == status
    headers = lenient.bridge.signed_before(PUBLIC + PATH, EVENT)
    assert (await lenient.post(PATH, EVENT + b" ", headers))[0] == 401
    lenient.bridge.key = eventbridge.new_key(1)
    headers = lenient.bridge.signed_before(PUBLIC + PATH, EVENT)
    assert (await lenient.post(PATH, EVENT, headers))[0] == 401


async def test_a_path_token_is_enough_for_who_cannot_sign(open_site: OpenSite) -> None:
    """And a wrong one is not."""
    site = await open_site()
    assert await site.post(f"{PATH}/{TOKEN}", EVENT) == (200, {"events": 1, "new": 1, "dead": 0})
    assert await site.post(f"{PATH}/{TOKEN}", EVENT) == (200, {"events": 1, "new": 0, "dead": 0})
    assert (await site.post(f"{PATH}/{TOKEN}x", EVENT))[0] == 401


async def test_ways_in_without_a_secret_are_not_there(open_site: OpenSite) -> None:
    """Nothing is open by default."""
    off: dict[str, object] = {"path_token": "", "lineage_key": "", "robots": {}, "eventbridge_region": ""}
    site = await open_site(**off)
    for path in (PATH, f"{PATH}/", f"{PATH}/x", "/extensions/dataworks", "/api/v1/lineage", "/hooks/dingtalk/x"):
        assert (await site.session.post(site.address + path)).status == 404


async def test_several_events_in_one_body(open_site: OpenSite) -> None:
    """As EventBridge sends batches. What is no event among them is set aside; the sender is not asked to repeat the rest."""
    site = await open_site()
    batch = [status_changed(7, 6, 1000 + number, f"b{number}") for number in range(250)]
    answer = await site.post(f"{PATH}/{TOKEN}", json.dumps([*batch, {"no": "event"}, batch[0]]).encode())
    assert answer == (200, {"events": 252, "new": 251, "dead": 1})
    assert len(site.applied) == 250


@pytest.mark.parametrize("body", [b"{broken", b"", b"[]", b"7", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'])
async def test_what_is_not_json_or_no_event_is_answered_400_and_kept(open_site: OpenSite, body: bytes) -> None:
    """The sender hears what is wrong; the remains can be looked at."""
    site = await open_site()
    status, answer = await site.post(f"{PATH}/{TOKEN}", body)
    assert (status, bool(answer["error"])) == (400, True)
    (dead,) = await site.journal.dead()
    assert dead.error == answer["error"]


async def test_too_many_events_in_a_body_are_one_refusal(open_site: OpenSite) -> None:
    """Half a million ones cost one row, not half a million."""
    site = await open_site()
    body = b"[" + b"1," * 500_000 + b"1]"
    assert (await site.post(f"{PATH}/{TOKEN}", body))[0] == 400
    (dead,) = await site.journal.dead()
    assert dead.error == f"not between 1 and {MOST_IN_A_BODY} events"


async def test_a_body_of_100_megabytes_is_refused_unread(open_site: OpenSite) -> None:
    """By what it announces: the answer comes while nothing of the body has been sent."""
    site = await open_site()
    host, port = site.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {PATH}/{TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n".encode())
    answer = await reader.readline()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_small_body_that_grows_is_stopped(open_site: OpenSite) -> None:
    """Thirty megabytes of spaces, thirty kilobytes compressed."""
    site = await open_site()
    bomb = gzip.compress(b" " * 30 * 1024 * 1024, 9)
    assert (await site.post(f"{PATH}/{TOKEN}", bomb, {"Content-Encoding": "gzip"}))[0] == 413


async def test_a_compressed_body_is_read_and_a_broken_one_is_not(open_site: OpenSite) -> None:
    """OpenLineage's client compresses on request."""
    site = await open_site()
    assert (await site.post(f"{PATH}/{TOKEN}", gzip.compress(EVENT), {"Content-Encoding": "gzip"}))[0] == 200
    assert (await site.post(f"{PATH}/{TOKEN}", b"not gzip", {"Content-Encoding": "gzip"}))[0] == 400


async def test_a_flood_is_told_to_come_back(open_site: OpenSite) -> None:
    """With 429 and when, before the body is read; while stopping, with 503."""
    site = await open_site(most=1)
    many = [
        asyncio.create_task(site.session.post(f"{site.address}{PATH}/{TOKEN}", data=_numbered(n))) for n in range(40)
    ]
    answers = await asyncio.gather(*many)
    statuses = {answer.status for answer in answers}
    assert statuses == {200, 429}
    assert {answer.headers["Retry-After"] for answer in answers if answer.status == 429} == {"5"}
    site.journal.stop()
    assert (await site.post(f"{PATH}/{TOKEN}", EVENT))[0] == 503


def test_there_is_room_for_so_many_bodies_and_no_more() -> None:
    """And for another once one has been dealt with, however that went."""
    room = Room(1)
    with room, pytest.raises(Busy), room:
        pytest.fail("two bodies at once")
    with pytest.raises(LookupError), room:
        raise LookupError
    with room:
        pass


def _numbered(number: int) -> bytes:
    return json.dumps(status_changed(number, 6, 1000, f"n{number}")).encode()


async def test_what_waits_for_a_decision_is_handed_on(open_site: OpenSite) -> None:
    """Function Compute's caller hears the verdict; a redelivery is decided again, by its id; other events are not."""
    site = await open_site()
    wait = json.dumps(function_event("dataworks:InstanceChange:PreRerunInstance", {"taskIds": [1]}, "m1")).encode()
    path = f"/extensions/dataworks/{TOKEN}"
    assert await site.post(path, wait) == (200, {"events": 1, "new": 1, "dead": 0, "checkResult": "OK"})
    assert (await site.post(path, wait))[1]["new"] == 0
    assert (await site.post(path, EVENT))[1] == {"events": 1, "new": 1, "dead": 0}
    assert site.decided == ["m1", "m1"]


async def test_an_unknown_type_is_acknowledged(open_site: OpenSite) -> None:
    """EventBridge would otherwise send it for a day."""
    site = await open_site()
    assert await site.push(json.dumps(cloud_event("dataworks:New:One", {"x": 1})).encode()) == 200
    assert await site.journal.unknown() == {"dataworks:New:One": 1}


def test_settings_that_cannot_work_are_refused() -> None:
    """A signature covers the public address; two tools cannot share a key; a pinned address must end the host."""
    for events in (
        {"eventbridge_region": "cn-shanghai"},
        {"robots": {"a": "same-key-twice", "b": "same-key-twice"}},
        {"eventbridge_certificates": "https://host"},
        {"eventbridge_region": "evil.example/"},
    ):
        with pytest.raises((ConfigurationError, ValueError)):
            Settings.model_validate({"events": events})
