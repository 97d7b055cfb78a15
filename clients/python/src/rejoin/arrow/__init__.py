"""Reads Arrow IPC streams with nothing but the standard library.

The service writes results as Arrow. With pyarrow installed they become tables and data frames; this room turns them into plain
values of Python, so that a program needs no more than ``httpx``.
"""

from ._messages import Splitter, messages
from ._stream import Batch, Column, Schema, reader_of

__all__ = ["Batch", "Column", "Schema", "Splitter", "messages", "reader_of"]
