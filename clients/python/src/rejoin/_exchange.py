"""What is sent and what comes back, apart from how: one description that a blocking and an asynchronous transport carry out.

A conversation with the service is a generator. It yields an :class:`Exchange` or a :class:`Pause` and is sent the
:class:`Answer`, so that retries, keys and waits are written once.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ._secret import Secret

T = TypeVar("T")


@dataclass(frozen=True)
class Exchange:
    """One HTTP request."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    # What a progress bar calls the transfer; None: none is shown.
    progress: str | None = None


@dataclass(frozen=True)
class Pause:
    """A wait of so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether the service did what it was asked. It leads nobody elsewhere, so neither does a redirection count."""
        return 200 <= self.status < 300


def header_value(what: str, value: str) -> Secret:
    """A value that gives access, if a header can hold it; the message does not show it."""
    if not value or any(not "!" <= letter <= "~" for letter in value):
        raise ValueError(f"{what} has to be made of visible ASCII characters; does it end with a line break?")
    return Secret(value)


class Lost(Exception):
    """Thrown into a conversation: the exchange had no answer.

    `sent` is false when nothing can have reached the service; `met` tells whether this client has ever had an answer from there.
    """

    def __init__(self, why: str, *, sent: bool, met: bool) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.met = met


Conversation = Generator[Exchange | Pause, Answer, T]
