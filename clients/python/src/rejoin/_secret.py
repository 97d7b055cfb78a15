"""Texts that give access."""

from __future__ import annotations


class Secret(str):
    """A text that shows itself nowhere but where it is sent: tools that show the variables of a traceback show `…` for it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"
