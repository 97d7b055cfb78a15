"""Writes XML: what is escaped, and what it can't hold."""

from __future__ import annotations

import re
from collections.abc import Mapping

# XML 1.0 has no way to say these, not even escaped.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ATTRIBUTE = {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_TEXT_PATTERN = re.compile("[&<>\r]")
_ATTRIBUTE_PATTERN = re.compile('[&<"\r\n\t]')


def check(text: str) -> str:
    """Gives the text back, if XML can hold it."""
    found = _FORBIDDEN.search(text)
    if found:
        raise ValueError(
            f"a document can't hold the character U+{ord(found[0]):04X} (at index {found.start()} of the text): pass bytes instead"
        )
    return text


def escape(text: str) -> str:
    """The text as content of an element."""
    return _TEXT_PATTERN.sub(lambda found: _TEXT[found[0]], check(text))


def element(name: str, attributes: Mapping[str, str | None], content: str = "") -> str:
    """An element; attributes that are None are left out, content is XML already."""
    written = "".join(
        f' {key}="{_ATTRIBUTE_PATTERN.sub(lambda found: _ATTRIBUTE[found[0]], check(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"
