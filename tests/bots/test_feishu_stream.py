"""Feishu's long connection: what arrives, what is answered, and what becomes of it when connections break."""

import asyncio
import random
import socket
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from pydantic import SecretStr

from bots.feishu.frames import CONTROL, DATA, INCOMPLETE, Chunks, Frame, decode, encode
from core.cards import Button, Buttons, Card
from core.errors import BadInput, Unreachable
from core.messages import Conversation, Message
from tests.bots.feishu_bot import BODY_LIMIT, Bot, streaming
from tests.fakes.feishu_stream import StreamingFeishu, frames
from tests.waiting import eventually

PRIVATE = "oc_private"
CARD = Card("Failed", (Buttons((Button("Log", "log"),)),))


@pytest.fixture
async def feishu() -> AsyncGenerator[StreamingFeishu]:
    async with StreamingFeishu(redelivery=(0.05,) * 40, deadline=1.0) as fake:
        yield fake


@pytest.fixture
async def bot(feishu: StreamingFeishu) -> AsyncGenerator[Bot]:
    async with streaming(feishu) as listener:
        await feishu.until_connected()
        yield listener


def connected() -> float | None:
    """What `/metrics` says about the connection."""
    return REGISTRY.get_sample_value("xops_connected", {"channel": "feishu"})


async def test_a_message_is_journalled_and_then_answered(feishu: StreamingFeishu, bot: Bot) -> None:
    delivery = await feishu.say(PRIVATE, "ou_ann", "昨晚哪些任务失败了")

    assert (delivery.ok, delivery.answer) == (True, {})
    assert bot.message.text == "昨晚哪些任务失败了"
    assert connected() == 1


@pytest.mark.parametrize("kind", ["event", "card"])
async def test_a_press_is_answered_with_a_toast_whichever_frame_brings_it(
    feishu: StreamingFeishu, bot: Bot, kind: str
) -> None:
    feishu.click_frames = kind
    await bot.channel.send(Conversation("feishu", PRIVATE, "private"), CARD, key="k")

    delivery = await feishu.press(feishu.messages[0].id, "Log")

    assert delivery.answer["toast"]["type"] == "info"
    assert bot.click.command == "log"


async def test_a_payload_in_many_frames_arrives_whole() -> None:
    text = "运行日志 " * 1000
    async with StreamingFeishu(chunk=500) as feishu, streaming(feishu) as bot:
        await feishu.until_connected()

        assert (await feishu.say(PRIVATE, "ou_ann", text)).ok
        assert bot.message.text == text.strip()


async def test_a_payload_beyond_the_limit_is_not_kept(bot: Bot, feishu: StreamingFeishu) -> None:
    feishu.chunk, feishu.redelivery = BODY_LIMIT // 2, ()

    assert (await feishu.say(PRIVATE, "ou_ann", "x" * BODY_LIMIT)).status == 504
    assert (await feishu.say(PRIVATE, "ou_ann", "short")).ok
    assert [event.id for event in bot.accepted] == [bot.message.id]


async def test_five_deliveries_of_one_message_are_accepted_once(feishu: StreamingFeishu, bot: Bot) -> None:
    await feishu.say(PRIVATE, "ou_ann", "/overview", times=5)

    assert sorted(bot.answers) == [False] * 4 + [True]
    assert feishu.failures == []


async def test_what_cannot_be_journalled_is_brought_again(feishu: StreamingFeishu, bot: Bot) -> None:
    bot.failures.extend(Unreachable("the database is away", system="database") for _ in range(2))

    assert (await feishu.say(PRIVATE, "ou_ann", "/overview")).ok
    assert [failure.status for failure in feishu.failures] == [500, 500]
    assert bot.answers == [True]


async def test_an_event_that_waits_does_not_make_the_next_one_late(feishu: StreamingFeishu) -> None:
    """The first replies to a message that has to be fetched, while the API answers nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as silence:
        async with streaming(feishu, api=f"http://127.0.0.1:{silence.getsockname()[1]}") as bot:
            await feishu.until_connected()
            feishu.deadline = 3.0
            waiting = asyncio.create_task(feishu.say(PRIVATE, "ou_ann", "why?", parent="om_1"))
            await eventually(lambda: feishu.links[0].waiting)

            assert (await feishu.say(PRIVATE, "ou_ann", "/overview")).seconds < 1.0
            assert (await waiting).ok
            assert [event.text for event in bot.accepted if isinstance(event, Message)] == ["/overview", "why?"]
            assert feishu.late == []


async def test_a_dropped_connection_is_replaced_and_nothing_is_lost(feishu: StreamingFeishu, bot: Bot) -> None:
    """It drops between the journal and the answer: Feishu brings the event again, and it is a duplicate."""
    bot.gate.clear()
    saying = asyncio.create_task(feishu.say(PRIVATE, "ou_ann", "/overview"))
    await eventually(lambda: feishu.links[0].waiting)
    feishu.links[0].drop()
    bot.gate.set()

    assert (await saying).ok
    assert sorted(bot.answers) == [False, True]
    assert feishu.granted == 2


@pytest.mark.parametrize("how", ["frozen", "mute"])
async def test_a_connection_that_only_seems_alive_is_replaced(how: str) -> None:
    """A half-open one does not answer probes; a gateway that forgot us does, but says nothing of its own."""
    config = {"ReconnectCount": -1, "ReconnectInterval": 120, "PingInterval": 0.2}
    async with (
        StreamingFeishu(config=config, redelivery=(0.1,) * 20, deadline=0.2) as feishu,
        streaming(feishu) as bot,
    ):
        await feishu.until_connected()
        setattr(feishu.links[0], how, True)

        assert (await feishu.say(PRIVATE, "ou_ann", "/overview")).ok
        assert bot.answers[0]
        assert feishu.granted >= 2


async def test_never_gives_up_and_comes_back_later_and_later(feishu: StreamingFeishu) -> None:
    """Also when Feishu says that one attempt is enough; its longest pause is kept."""
    feishu.config = {"ReconnectCount": 1, "ReconnectInterval": 8, "PingInterval": 120}
    async with streaming(feishu) as bot:
        await feishu.until_connected()
        feishu.refusal = 1000040350
        feishu.links[0].drop()
        await eventually(lambda: len(bot.pauses) >= 12)
        assert connected() == 0
        assert all(pause <= min(2**at, 8) for at, pause in enumerate(bot.pauses))
        feishu.refusal = 0
        await feishu.until_connected()


async def test_a_wrong_secret_is_no_reason_to_fail_at_start(feishu: StreamingFeishu) -> None:
    """The page and other messengers go on; the log says it, and `xops doctor` what to do."""
    async with streaming(feishu, app_secret=SecretStr("a-wrong-secret-of-the-app")) as bot:
        await eventually(lambda: len(bot.pauses) >= 2)
        assert feishu.granted == 0


async def test_stopping_answers_what_has_begun(feishu: StreamingFeishu) -> None:
    async with streaming(feishu) as bot:
        await feishu.until_connected()
        bot.gate.clear()
        saying = asyncio.create_task(feishu.say(PRIVATE, "ou_ann", "/overview"))
        await eventually(lambda: feishu.links[0].waiting)
        asyncio.get_running_loop().call_later(0.1, bot.gate.set)

    assert (await saying).ok
    assert feishu.links == []


async def test_pings_as_often_as_feishu_wants() -> None:
    config = {"ReconnectCount": -1, "ReconnectInterval": 120, "PingInterval": 0.02}
    async with StreamingFeishu(config=config) as feishu, streaming(feishu):
        await eventually(lambda: feishu.pings >= 5)
        assert feishu.granted == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff\xff\xff",
        b"not a frame",
        encode(Frame(DATA, 1, {"type": "event", "sum": "2", "seq": "7"}, b"{}")),
        encode(Frame(DATA, 1, {"type": "event", "sum": "-1"}, b"{}")),
        encode(Frame(DATA, 1, {"type": "firmware"}, b"{}")),
        encode(Frame(CONTROL, 1, {"type": "pong"}, b"{")),
        encode(Frame(CONTROL, 1, {"type": "pong"}, b'{"PingInterval": "soon", "ReconnectInterval": -1}')),
        encode(Frame(9, 1, {})),
    ],
)
async def test_nonsense_is_passed_over(feishu: StreamingFeishu, bot: Bot, nonsense: bytes) -> None:
    await feishu.links[0].socket.send_bytes(nonsense)
    await feishu.links[0].socket.send_str("hello")

    assert (await feishu.say(PRIVATE, "ou_ann", "/overview")).ok
    assert feishu.granted == 1
    assert len(bot.accepted) == 1


@given(frames)
def test_what_is_encoded_is_decoded(frame: Frame) -> None:
    assert decode(encode(frame)) == frame


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_bad_input(data: bytes) -> None:
    try:
        assert isinstance(decode(data), Frame)
    except BadInput:
        return


@given(st.binary(min_size=2, max_size=200), st.integers(2, 20), st.randoms())
def test_parts_are_put_together_in_any_order(body: bytes, parts: int, order: random.Random) -> None:
    size = -(-len(body) // parts)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    arriving = list(enumerate(pieces))
    order.shuffle(arriving)
    chunks = Chunks(1000)

    found = [chunks.whole(_part("m", at, piece, len(pieces))) for at, piece in arriving]

    assert found == [None] * (len(pieces) - 1) + [body]


def test_payloads_that_are_never_completed_are_forgotten() -> None:
    """Only so many are waited for: the eldest goes first."""
    chunks = Chunks(1000)
    for number in range(INCOMPLETE + 1):
        assert chunks.whole(_part(f"m{number}", 0, b"a", 2)) is None

    assert chunks.whole(_part("m0", 1, b"b", 2)) is None
    assert chunks.whole(_part(f"m{INCOMPLETE}", 1, b"b", 2)) == b"ab"


def _part(message: str, at: int, piece: bytes, total: int) -> Frame:
    return Frame(DATA, 1, {"message_id": message, "sum": str(total), "seq": str(at)}, piece)
