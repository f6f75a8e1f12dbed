"""WeCom's envelopes and XML, opened by `wechatpy`; the one file that knows it.

`wechatpy` compares signatures with `!=` and raises whatever its parts raise, so the signature is checked here first, in
constant time, and only `BadSignature` and `BadInput` leave this module.
"""

import base64
import struct
from collections.abc import Mapping
from typing import Any, Protocol, cast
from xml.parsers.expat import ExpatError  # xmltodict refuses entities

from bots.crypto import fresh, same, wecom_signature
from core.errors import BadInput, ConfigurationError

Json = dict[str, Any]


class _Cipher(Protocol):
    """What `wechatpy.work.crypto.PrpCrypto` does."""

    def encrypt(self, text: str, corp_id: str) -> bytes: ...
    def decrypt(self, text: str, corp_id: str) -> str: ...


class Envelope:
    """The envelope of one callback address.

    Args:
        token: the callback's Token.
        encoding_aes_key: its EncodingAESKey, 43 characters.
        receive_id: whom envelopes are for: the corp id for an app, nothing for an AI bot.

    Raises:
        ConfigurationError: `wechatpy` is not installed.
    """

    def __init__(self, token: str, encoding_aes_key: str, receive_id: str) -> None:
        self._token = token
        self._receive_id = receive_id
        self._cipher = _cipher(base64.b64decode(f"{encoding_aes_key}="))

    def open(self, query: Mapping[str, str], sealed: str, *, now: float) -> str:
        """The content of an envelope that WeCom signed just now.

        Args:
            query: of the request; carries `msg_signature`, `timestamp` and `nonce`.
            sealed: the envelope.
            now: Unix seconds.

        Raises:
            BadSignature: not signed by WeCom, or long ago.
            BadInput: signed, and still not an envelope for us.
        """
        from wechatpy.exceptions import WeChatException

        timestamp = query.get("timestamp", "")
        same(query.get("msg_signature", ""), self._sign(timestamp, query.get("nonce", ""), sealed))
        fresh(timestamp, now=now)
        try:
            return self._cipher.decrypt(sealed, self._receive_id)
        except (ValueError, IndexError, struct.error, WeChatException) as error:
            raise BadInput("the envelope cannot be opened") from error

    def seal(self, plain: str, *, timestamp: int, nonce: str) -> Json:
        """An answer as an AI bot gives it."""
        sealed = self._cipher.encrypt(plain, self._receive_id).decode()
        signature = self._sign(str(timestamp), nonce, sealed)
        return {"encrypt": sealed, "msgsignature": signature, "timestamp": timestamp, "nonce": nonce}

    def _sign(self, timestamp: str, nonce: str, sealed: str) -> str:
        return wecom_signature(self._token, timestamp, nonce, sealed)


def read_xml(text: str | bytes) -> Json:
    """What is inside `<xml>…</xml>`; entities and document types are refused.

    Raises:
        BadInput: not such XML.
    """
    import xmltodict  # `wechatpy` brings it

    try:
        found = xmltodict.parse(text).get("xml")
    except (ValueError, ExpatError) as error:
        raise BadInput("not XML") from error
    if not isinstance(found, dict):
        raise BadInput("no <xml> element with content")
    return cast("Json", found)


def _cipher(key: bytes) -> _Cipher:
    try:
        from wechatpy.work.crypto import PrpCrypto
    except ImportError as error:
        raise ConfigurationError("WeCom needs wechatpy: install xops[wecom]") from error
    return cast("_Cipher", PrpCrypto(key))
