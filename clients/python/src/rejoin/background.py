"""Requests that go on by themselves, and the streams of sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ._answers import SessionStatus
from ._operations import SessionState
from ._protocol import Protocol
from ._submission import Submission
from ._transport import Transport

__all__ = ["PendingRequest", "SessionStream"]


class PendingRequest:
    """A request that goes on by itself; its session tells how far it has got.

    >>> from rejoin.activities import Echo
    >>> pending = service.submit(Echo(text="hello").named("say"))
    >>> pending.session_stream("say.output").read_all()
    b'hello'
    """

    def __init__(self, transport: Transport, submission: Submission) -> None:
        self._transport = transport
        self._submission = submission

    @property
    def request_id(self) -> str:
        """What to name when asking the operator about it."""
        return self._submission.request_id

    @property
    def last(self) -> str:
        """How it stood when it was last asked for."""
        return self._submission.last

    def status(self) -> SessionStatus:
        """How far it has got, and its session.

        >>> from rejoin.activities import Sleep
        >>> pending = service.submit(Sleep(duration="PT5M"))
        >>> pending.status().request.status
        'PROCESSING'
        >>> pending.cancel()
        True
        """
        return self._transport.run(self._submission.status())

    def wait(self, timeout: float | None = None, *, poll: float = 0.2) -> SessionStatus:
        """Asks every so often until it is over; raises what it failed of, or `TimeoutError`.

        >>> from rejoin.activities import Sleep
        >>> service.submit(Sleep(duration="PT0.01S")).wait(timeout=60).request.status
        'COMPLETED'
        """
        return self._transport.run(self._submission.wait(timeout, poll))

    def cancel(self) -> bool:
        """Stops it; nothing that it changed in its session is kept.

        >>> from rejoin.activities import Sleep
        >>> service.submit(Sleep(duration="PT5M")).cancel()
        True
        """
        return self._transport.run(self._submission.protocol.cancel(self._submission.state.session_id))

    def session_stream(self, name: str) -> SessionStream:
        """One of its streams: every end-point is one, and so is every `inputStream` and `outputStream`.

        >>> from rejoin.activities import Echo
        >>> service.submit(Echo(text="hello").named("say")).session_stream("say.output").read()
        b'hello'
        """
        return SessionStream(self._transport, self._submission.protocol, self._submission.state, name)

    def __repr__(self) -> str:
        return f"<PendingRequest {self.request_id} {self.last}>"


class SessionStream:
    """A stream of a session. What a client takes from it, or puts in, travels once; there is back-pressure both ways.

    >>> from rejoin.activities import CsvToRows, InputStream, SqlResultsToJSON
    >>> rows = CsvToRows(csv_input=InputStream().named("upload").to_local)
    >>> pending = service.submit(SqlResultsToJSON(result_set=rows.rows, format="lines").named("lines"))
    >>> pending.session_stream("upload").write_all(["1,Ada\\n", "2,Bea\\n"])
    >>> pending.session_stream("lines.jsonOutput").read_all().count(b"\\n")
    2
    """

    def __init__(self, transport: Transport, protocol: Protocol, state: SessionState, name: str) -> None:
        self._transport = transport
        self._protocol = protocol
        self._state = state
        self.name = name
        self.at_end = False

    def read(self, blocks: int = 1) -> bytes:
        """Waits for so many blocks, or the end; empty at the end.

        >>> from rejoin.activities import Echo
        >>> said = service.submit(Echo(text="hello").named("say")).session_stream("say.output")
        >>> said.read(), said.read()
        (b'hello', b'')
        """
        if self.at_end:
            return b""
        content, goes_on = self._transport.run(self._protocol.read_blocks(self._state.session_id, self.name, blocks))
        self.at_end = not goes_on
        return content

    @contextmanager
    def open(self) -> Iterator[Iterator[bytes]]:
        """Everything to the end, as it comes.

        >>> from rejoin.activities import Echo
        >>> with service.submit(Echo(text="hello").named("say")).session_stream("say.output").open() as chunks:
        ...     b"".join(chunks)
        b'hello'
        """
        with self._transport.stream(self._protocol.stream(self._state.session_id, self.name), self.name) as chunks:
            yield chunks

    def read_all(self) -> bytes:
        """Everything to the end.

        >>> from rejoin.activities import Echo
        >>> service.submit(Echo(text="hello").named("say")).session_stream("say.output").read_all()
        b'hello'
        """
        with self.open() as chunks:
            return b"".join(chunks)

    def write(self, block: bytes | str) -> None:
        """Writes one block, when the pipe has room for it.

        >>> from rejoin.activities import CsvToRows, InputStream, SqlResultsToJSON
        >>> rows = CsvToRows(csv_input=InputStream().named("upload").to_local)
        >>> pending = service.submit(SqlResultsToJSON(result_set=rows.rows, format="lines").named("lines"))
        >>> upload = pending.session_stream("upload")
        >>> upload.write("1,Ada\\n")
        >>> upload.close()
        """
        content, kind = as_block(block)
        self._transport.run(self._protocol.write_block(self._state.session_id, self.name, content, kind))

    def write_all(self, blocks: Iterable[bytes | str]) -> None:
        """Writes every block, then the end.

        >>> from rejoin.activities import CsvToRows, InputStream, SqlResultsToJSON
        >>> rows = CsvToRows(csv_input=InputStream().named("upload").to_local)
        >>> pending = service.submit(SqlResultsToJSON(result_set=rows.rows, format="lines").named("lines"))
        >>> pending.session_stream("upload").write_all(["1,Ada\\n", "2,Bea\\n"])
        """
        for block in blocks:
            self.write(block)
        self.close()

    def close(self) -> None:
        """Says that everything was written.

        >>> from rejoin.activities import CsvToRows, InputStream, SqlResultsToJSON
        >>> rows = CsvToRows(csv_input=InputStream().named("upload").to_local)
        >>> pending = service.submit(SqlResultsToJSON(result_set=rows.rows, format="lines").named("lines"))
        >>> pending.session_stream("upload").close()
        >>> pending.session_stream("lines.jsonOutput").read_all()
        b''
        """
        self._transport.run(self._protocol.close_stream(self._state.session_id, self.name))

    def drop(self) -> None:
        """Drops the stream: whoever writes it goes on without it, whoever reads it fails.

        >>> from rejoin.activities import CsvToRows, InputStream, SqlResultsToJSON
        >>> rows = CsvToRows(csv_input=InputStream().named("upload").to_local)
        >>> pending = service.submit(SqlResultsToJSON(result_set=rows.rows, format="lines").named("lines"))
        >>> pending.session_stream("upload").drop()
        """
        self._transport.run(self._protocol.drop_stream(self._state.session_id, self.name))

    def __repr__(self) -> str:
        return f"<SessionStream {self.name!r}>"


def as_block(block: bytes | str) -> tuple[bytes, str]:
    """A block of text or bytes, and its media type."""
    if isinstance(block, str):
        return block.encode("utf-8"), "text/plain; charset=utf-8"
    return block, "application/octet-stream"
