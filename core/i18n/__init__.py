"""Words for people, in Simplified Chinese (default), Traditional Chinese and English.

`<language>/<area>.toml` holds the sentences of one area; the key is `area.name`. Values are filled in by name with
`str.format_map` on *our* templates only; a value is never itself treated as a template.
"""

import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh-CN", "zh-TW", "en")
DEFAULT = "zh-CN"


class Words:
    """The sentences of one language.

    Args:
        language: one of `LANGUAGES`.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._sentences = _catalogue(language)

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence for a key, filled in.

        Raises:
            KeyError: no such key, or a value is missing; `tests/core/test_i18n.py` finds both before a person does.
        """
        return self._sentences[key].format_map(values)

    def __contains__(self, key: str) -> bool:
        return key in self._sentences


@cache
def words(language: str) -> Words:
    """The sentences of a language; the default language when it is not one of ours.

    Args:
        language: a tag such as `zh-CN`, `zh_cn`, `zh-Hant-HK` or `en-US`.
    """
    return Words(closest(language))


def closest(language: str) -> str:
    """Which of `LANGUAGES` serves someone who asked for this tag best."""
    tag = language.replace("_", "-").lower()
    if tag.startswith("en"):
        return "en"
    if any(part in tag for part in ("tw", "hk", "mo", "hant")):
        return "zh-TW"
    return DEFAULT


@cache
def _catalogue(language: str) -> dict[str, str]:
    sentences: dict[str, str] = {}
    for file in sorted(files("core.i18n").joinpath(language).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            _flatten(file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8")), sentences)
    return sentences


def _flatten(prefix: str, node: dict[str, object], into: dict[str, str]) -> None:
    for name, value in node.items():
        if isinstance(value, dict):
            _flatten(f"{prefix}.{name}", value, into)  # pyright: ignore[reportUnknownArgumentType]
        else:
            into[f"{prefix}.{name}"] = str(value)
