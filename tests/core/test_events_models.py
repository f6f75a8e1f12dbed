"""DataWorks' events as types: all 51, every field of every sample, and nothing lost of what is not known."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from core.events.dataworks import CODES, TYPES
from core.events.dataworks.instances import InstanceStatusChanged
from core.events.dataworks.monitoring import MonitorAlert
from core.events.dataworks.quality import CheckFinished
from core.events.dataworks.words import CheckResult, InstanceStatus, RemindType, SchedulerType
from core.events.incoming import DATAWORKS, Incoming, read_event
from core.events.values import Id, Ids, Open, Time, Word
from core.events.wire import parse
from tests.core.event_samples import Sample, cloud_event, function_event, samples, status_changed

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
ID: TypeAdapter[str] = TypeAdapter(Id)
IDS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Ids)
TIME: TypeAdapter[datetime | None] = TypeAdapter(Time)
STATUS: TypeAdapter[InstanceStatus | str] = TypeAdapter(Open[InstanceStatus])


def arrived(value: object) -> Incoming:
    """What is read of an envelope that went over the wire."""
    return read_event(DATAWORKS, parse(json.dumps(value)), NOW)


def not_described(value: object, path: str) -> Iterator[str]:
    """Names of fields that no model describes, at any depth."""
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from not_described(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, tuple):
        for entry in cast("tuple[object, ...]", value):
            yield from not_described(entry, path)


def test_there_is_a_sample_of_each_of_the_51_types() -> None:
    """No type is only believed to work."""
    assert len(TYPES) == len(CODES) == 51
    assert {sample.type for sample in samples()} == set(TYPES)


@pytest.mark.parametrize("sample", list(samples()), ids=lambda sample: sample.type.split(":")[2])
def test_every_sample_is_typed_to_its_last_field(sample: Sample) -> None:
    """Both envelopes give the same type, and no field of a published message is unknown to its model."""
    for envelope in (cloud_event(sample.type, sample.data), function_event(sample.type, sample.data)):
        event = arrived(envelope)
        assert (event.state, event.trouble, event.type) == ("stored", "", sample.type)
        assert list(not_described(event.body, sample.type)) == []


def test_function_compute_tells_beside_the_message_what_waits() -> None:
    """Its envelope names the check and the group, and the model has them."""
    body = arrived(function_event("dataworks:ResourcesUpload:UploadDataToTable", {})).body
    assert body is not None
    assert body.model_dump(include={"block_business", "extension_biz_id", "event_category_type", "tenant_id"}) == {
        "block_business": True,
        "extension_biz_id": "job_6603000070",
        "event_category_type": "resources-download",
        "tenant_id": "28378000010656",
    }


def test_a_status_is_a_word_and_its_times_have_a_zone() -> None:
    """What a mirror needs of the most frequent event."""
    body = arrived(status_changed(453000169, 5, 1652700577000, "e1")).body
    assert isinstance(body, InstanceStatusChanged)
    assert (body.status, body.task_type) == (InstanceStatus.FAILURE, SchedulerType.NORMAL)
    assert body.modify_time == body.at == datetime(2022, 5, 16, 11, 29, 37, tzinfo=UTC)
    assert (body.project, body.subjects) == ("30000002", (("instance", "453000169"), ("node", "1000000219")))


def test_the_type_decides_and_the_code_is_the_other_key() -> None:
    """A copied code in a message does not change its type; without a type the code is enough."""
    wrong = cloud_event("dataworks:DqcCheck:BatchUpdateDataQualityRules", {"eventCode": "update-data-quality-rule"})
    assert arrived(wrong).type == "dataworks:DqcCheck:BatchUpdateDataQualityRules"
    assert arrived({**wrong, "type": ""}).type == "dataworks:DqcCheck:UpdateDataQualityRule"


def test_a_message_may_be_json_within_json() -> None:
    """Some transformations at the event bus make text of it."""
    envelope = status_changed(7, 6, 1652700577000, "e1")
    assert arrived({**envelope, "data": json.dumps(envelope["data"])}).body == arrived(envelope).body


def test_an_unknown_type_is_an_event_all_the_same() -> None:
    """The platform adds types without asking."""
    event = arrived(cloud_event("dataworks:NodeChange:NodeRenamed", {"nodeId": 1}))
    assert (event.state, event.body, event.type) == ("unknown", None, "dataworks:NodeChange:NodeRenamed")


def test_unknown_fields_and_words_are_kept() -> None:
    """A new field, a new status and a new condition of a rule are there as they came."""
    envelope = status_changed(7, 42, 1652700577000, "e1")
    envelope["data"]["newField"] = {"deep": [1]}
    body = arrived(envelope).body
    assert isinstance(body, InstanceStatusChanged)
    assert (body.status, body.model_extra) == ("42", {"newField": {"deep": [1]}})


def test_a_field_of_another_kind_is_left_out_and_named() -> None:
    """One odd field does not cost the event."""
    envelope = status_changed(7, 6, 1652700577000, "e1")
    envelope["data"]["nodeId"] = {"id": 3}
    event = arrived(envelope)
    assert isinstance(event.body, InstanceStatusChanged)
    assert (event.state, event.trouble) == ("stored", "not as described: nodeId")
    assert (event.body.task_id, event.body.node_id) == ("7", "")


@pytest.mark.parametrize(
    ("envelope", "trouble"),
    [
        ([], "not a JSON object"),
        ({"id": "1", "type": "x"}, "no message in the envelope"),
        ({"id": "1", "data": {}}, "neither a type nor an eventCode"),
        ({"type": "x", "data": {}}, "no id, or one of more than 512 characters"),
        ({"id": "i" * 513, "type": "x", "data": {}}, "no id, or one of more than 512 characters"),
        ({"id": "1", "type": "x", "data": "{broken"}, "not JSON"),
    ],
)
def test_what_is_no_event_is_dead_with_a_reason(envelope: object, trouble: str) -> None:
    """Nothing is dropped without a word; the same remains have the same id."""
    event = arrived(envelope)
    assert (event.state, event.type, event.trouble) == ("dead", "", trouble)
    assert event.id == arrived(envelope).id


def test_deep_nesting_is_refused_before_it_costs() -> None:
    """Both a hundred levels that parse and a hundred thousand that do not."""
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    assert arrived(cloud_event("x", {"deep": deep})).trouble == "nested too deeply"
    with pytest.raises(Exception, match="not JSON"):
        parse("[" * 100_000)


def test_secrets_are_masked_and_ids_are_not() -> None:
    """A statement's password and a secret field are gone; eleven digits that could be a telephone number are an id."""
    sql = "create external table t with (password='hunter22secret')"
    event = arrived(cloud_event("x", {"sqlText": sql, "token": "abc", "taskId": "13812345678", "node": "\u202enode"}))
    data = json.loads(event.payload)["data"]
    assert data == {
        "sqlText": "create external table t with (password='***')",
        "token": "***",
        "taskId": "13812345678",
        "node": "node",
    }


def test_a_rule_names_its_instances_in_one_text() -> None:
    """Joined by commas on the wire, a tuple here; a misspelt word of the reference is the same word."""
    data = {"alarmType": "REMIND_ALERT", "taskIds": "307***0896,3070870", "remindType": "RES_GROUP_THRESHOL"}
    body = arrived(cloud_event(MonitorAlert.type, data)).body
    assert isinstance(body, MonitorAlert)
    assert (body.task_ids, body.remind_type) == (("307***0896", "3070870"), RemindType.RES_GROUP_THRESHOLD)


def test_times_without_a_zone_are_the_platforms() -> None:
    """Two o'clock in a message is two o'clock where the platform is, unless the settings say otherwise."""
    envelope = cloud_event(CheckFinished.type, {"beginTime": "2023-02-15 20:14:48", "checkResult": -1})
    for zone, hour in (("Asia/Shanghai", 12), ("Europe/Berlin", 19)):
        body = read_event(DATAWORKS, envelope, NOW, ZoneInfo(zone)).body
        assert isinstance(body, CheckFinished)
        assert body.begin_time is not None
        assert (body.begin_time.astimezone(UTC).hour, body.check_result) == (hour, CheckResult.ERROR)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (1652700577000, datetime(2022, 5, 16, 11, 29, 37, tzinfo=UTC)),
        ("1652700577000", datetime(2022, 5, 16, 11, 29, 37, tzinfo=UTC)),
        (1652700577, datetime(2022, 5, 16, 11, 29, 37, tzinfo=UTC)),
        ("2024-12-18T07:12:35.463Z", datetime(2024, 12, 18, 7, 12, 35, 463000, tzinfo=UTC)),
        ("2020-11-19T21:04:42.179PRC", datetime(2020, 11, 19, 13, 4, 42, 179000, tzinfo=UTC)),
        ("2020-11-19T21:04:41+08:00", datetime(2020, 11, 19, 13, 4, 41, tzinfo=UTC)),
        (0, None),
        ("", None),
        ("17***864", None),
        ("yesterday", None),
        (10**30, None),
        (["2020"], None),
    ],
)
def test_times_are_read_in_every_notation(written: object, meant: datetime | None) -> None:
    """Numbers and texts with a zone mean the same everywhere; what is no time is None."""
    assert TIME.validate_python(written) == meant


@given(st.integers(1, 10**39))
def test_ids_keep_every_digit(number: int) -> None:
    """As a number, as text, and as a fraction in any notation that stands for a whole number."""
    for written in (f"{number}", f'"{number}"', f"{number}.0", f"{number}.0E0", f"{number}000E-3"):
        assert ID.validate_python(parse(written)) == str(number)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_number_is_too_odd_for_an_id(number: Decimal) -> None:
    """Fractions stay fractions, and an exponent cannot blow up memory."""
    assert len(ID.validate_python(number)) < 80


@given(st.lists(st.integers(0, 10**20) | st.from_regex(r"[0-9*]{1,20}", fullmatch=True)))
def test_lists_of_ids_are_lists_of_ids_however_written(ids: list[int | str]) -> None:
    """As a list, and joined by commas."""
    wanted = tuple(map(str, ids))
    assert IDS.validate_python(ids) == IDS.validate_python(",".join(wanted)) == wanted


@given(st.text() | st.integers())
def test_words_are_read_or_kept_never_refused(word: str | int) -> None:
    """Whatever the platform invents next."""
    found = STATUS.validate_python(word)
    assert isinstance(found, InstanceStatus) or found == str(word)


@pytest.mark.parametrize("kind", [kind for kind in Word.__subclasses__() if list(kind)], ids=lambda kind: kind.__name__)
def test_every_spelling_of_a_word_means_it(kind: type[Word]) -> None:
    """In any case, by number or by name, and no spelling means two words."""
    spellings = [(text, member) for member in kind for text in (member.value, *member.others)]
    assert len({text.casefold() for text, _ in spellings}) == len(spellings)
    for text, member in spellings:
        assert kind(text.lower()) is kind(text.upper()) is member


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(sorted(TYPES)), st.data())
def test_any_message_of_a_known_type_is_stored(type: str, data: st.DataObject) -> None:
    """Whatever is in its fields: the worst that can happen is that they are named as not described."""
    names = [field.alias or name for name, field in TYPES[type].model_fields.items()]
    message = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), JSON, max_size=8))
    event = arrived(cloud_event(type, message))
    assert (event.state, event.type) == ("stored", type)


@given(JSON)
def test_no_json_at_all_makes_reading_raise(value: object) -> None:
    """What is no event is dead."""
    assert arrived(value).state in {"stored", "unknown", "dead"}
