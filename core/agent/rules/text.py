"""Text made comparable without moving a character, so that a position in one is the same position in the other."""

from core.i18n.script import simplified

_FOLDED = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2019: 0x27, 0x2018: 0x27}


def fold(text: str) -> str:
    """Simplified, half-width, lower case; as long as the text, character for character."""
    translated = simplified(text).translate(_FOLDED)
    return "".join(low if len(low := character.lower()) == 1 else character for character in translated)


def blank(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with these parts replaced by as many spaces."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
