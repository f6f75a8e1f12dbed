"""The reference's sample messages, repaired where they are not JSON, and the envelopes they arrive in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from core.events.dataworks import TYPES

SAMPLES = Path(__file__).parent.parent / "data/events/dataworks.txt"
STRING = r'"(?:[^"\\\n]|\\.)*"'
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """A message body, and the type it is a sample of."""

    type: str
    text: str
    data: Json


def samples() -> Iterator[Sample]:
    """All of them; a text that shows several types comes once for each."""
    types: list[str] = []
    lines: list[str] = []
    for line in [*SAMPLES.read_text("utf-8").splitlines(), "### "]:
        if line.startswith("###"):
            if lines:
                text = "\n".join(lines)
                yield from (Sample(name, text, repaired(text)["data"]) for name in types)
                types, lines = [], []
            types.append(line[4:])
        elif not line.startswith("#") and line.strip():
            lines.append(line)


def repaired(text: str) -> Json:
    """A published text as JSON."""
    text = re.sub(r'(: "[^"\n]*)$', r'\1"', text, flags=re.MULTILINE)  # a quote that is missing
    text = re.sub(rf"({STRING})|//[^\n]*", lambda match: match[1] or "", text)  # comments
    text = re.sub(
        rf"({STRING})|[\d*]+[\d*.]*\*[\d*.]*", lambda match: match[1] or f'"{match[0]}"', text
    )  # masked digits
    text = re.sub(r'(\d|")(\s*\n\s*")', lambda match: f"{match[1]},{match[2]}", text)  # a comma that is missing
    text = re.sub(r",(\s*[}\]])", r"\1", text)  # one too many
    for closing in ("", "}", "}}", "}}}"):
        try:
            found: Json = json.loads(text + closing, parse_float=Decimal)
        except json.JSONDecodeError:
            continue
        return _ungrouped(found)
    raise ValueError(text)


def _ungrouped(value: Any, key: str = "") -> Any:
    """Ids with a thousands separator (`5.777`) as the numbers they are; measured values keep their fraction."""
    if isinstance(value, dict):
        return {name: _ungrouped(entry, name) for name, entry in cast("Json", value).items()}
    if isinstance(value, list):
        return [_ungrouped(entry, key) for entry in cast("list[Any]", value)]
    if isinstance(value, Decimal):
        return int(str(value).replace(".", "")) if key.lower().endswith("id") else float(value)
    return value


def cloud_event(type: str, data: Json, id: str = "539fd8f4-4ea1-4625-aa8b-6c9066741111") -> Json:
    """What EventBridge sends."""
    return {
        "datacontenttype": "application/json;charset=utf-8",
        "data": data,
        "id": id,
        "source": "acs.dataworks",
        "specversion": "1.0",
        "subject": "",
        "time": "2020-11-19T21:04:41+08:00",
        "type": type,
        "aliyunaccountid": "123456789098****",
        "aliyunpublishtime": "2020-11-19T21:04:42.179PRC",
        "aliyuneventbusname": "default",
        "aliyunregionid": "cn-hangzhou",
        "aliyunpublishaddr": "172.25.0.1",
    }


def function_event(type: str, data: Json, id: str = "52d44ee7-b51f-4d4d-afeb-111111111111") -> Json:
    """What Function Compute is called with."""
    code = TYPES[type].code
    return {
        "blockBusiness": True,
        "eventCategoryType": "resources-download",
        "eventType": code,
        "extensionBizId": "job_6603000070",
        "messageBody": {"tenantId": 28378000010656, **data, "eventCode": code},
        "messageId": id,
    }


def status_changed(instance: int, status: int, modified: int, id: str) -> Json:
    """An instance's new status, `modified` in milliseconds since 1970."""
    data = {
        "dagId": 446000330, "dagType": 0, "eventCode": "instance-status-changes", "taskType": 0, "modifyTime": modified,
        "createTime": 1652543233000, "appId": 30000002, "tenantId": 235454000432001, "opCode": 31, "flowId": 1,
        "nodeId": 1000000219, "beginWaitResTime": 1652700577000, "taskId": instance, "status": status,
    }  # fmt: skip
    return cloud_event("dataworks:InstanceStatusChanges:InstanceStatusChanges", data, id)
