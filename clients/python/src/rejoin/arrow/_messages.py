"""Cuts an Arrow IPC stream into its messages, head and body together."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..errors import TransferBroken, UnexpectedAnswer
from ._flatbuffer import Table

_CONTINUED = 0xFFFFFFFF
#: Where the head of a message begins: a mark and its length stand before it.
HEAD = 8


def _broken_off() -> TransferBroken:
    return TransferBroken("the rows broke off before their end")


def _end(data: bytes | bytearray, at: int) -> int | None:
    """Where the message ends that begins there; None if that is not known yet. The end of the stream is a message without head."""
    if len(data) < at + HEAD:
        return None
    mark, length = struct.unpack_from("<Ii", data, at)
    if mark != _CONTINUED or length < 0:
        raise UnexpectedAnswer("this is no Arrow IPC stream: a message does not begin with its mark")
    if length == 0:
        return at + HEAD
    if len(data) < at + HEAD + length:
        return None
    try:
        body = Table.root(memoryview(bytes(data[at + HEAD : at + HEAD + length]))).number(3, "q")
    except (struct.error, IndexError):
        raise UnexpectedAnswer("this is no Arrow IPC stream: the head of a message can't be read") from None
    end: int = at + HEAD + length + body
    return end


def messages(data: bytes) -> Iterator[memoryview]:
    """The messages of a stream that is there as a whole, without a copy."""
    view, at = memoryview(data), 0
    while True:
        end = _end(data, at)
        if end is None or end > len(data):
            raise _broken_off()
        if end == at + HEAD:
            return
        yield view[at:end]
        at = end


class Splitter:
    """Takes a stream in pieces of any size, and gives each message when it is there."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._at_end = False

    def feed(self, chunk: bytes) -> Iterator[memoryview]:
        """The messages that this piece completes."""
        self._data += chunk
        while not self._at_end:
            end = _end(self._data, 0)
            if end is None or end > len(self._data):
                return
            self._at_end = end == HEAD
            message = bytes(memoryview(self._data)[:end])
            del self._data[:end]
            if not self._at_end:
                yield memoryview(message)

    def finish(self) -> None:
        """Has to be called at the end of the pieces: a stream without its own end has broken off."""
        if not self._at_end:
            raise _broken_off()
