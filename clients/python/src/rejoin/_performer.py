"""What a service and a session have in common: requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from ._answers import Response
from ._exchange import Conversation
from ._operations import Operations, Performable
from ._submission import submit
from ._transport import Transport
from .activity import Stream
from .background import PendingRequest
from .result import Result
from .rows import RowStream

T = TypeVar("T")


class Performer:
    """What a service and a session have in common: requests."""

    def __init__(self, transport: Transport, operations: Operations) -> None:
        self._transport = transport
        self._operations = operations

    def _run(self, conversation: Conversation[T]) -> T:
        return self._transport.run(conversation)

    def query(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        resource: str | None = None,
        wait: float | None = None,
        read: bool = False,
    ) -> Result:
        """Runs a statement that only reads, and gives all of its rows.

        `parameters` are the values for each `?`; `resource` names one of several databases; `wait` is for how many seconds to
        queue for the session; with `read` it is not held, and seen as it was last released.

        >>> session.query("SELECT name FROM customer WHERE id < ? ORDER BY id", [3]).rows
        [('…',), ('…',)]
        """
        return self._run(self._operations.query(sql, parameters, resource=resource, wait=wait, read=read))

    @contextmanager
    def stream_query(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, read: bool = False
    ) -> Iterator[RowStream]:
        """Runs a query whose rows are read as they come, however many they are; the session is held meanwhile.

        >>> with session.stream_query("SELECT id FROM orders ORDER BY id") as rows:
        ...     sum(row[0] for row in rows)
        312512500
        """
        document = self._operations.query_document(sql, parameters, resource=resource, read=read)
        with self._transport.stream(self._operations.protocol.streamed(document, "result"), "rows") as chunks:
            yield RowStream(chunks)

    @contextmanager
    def stream(self, what: Performable, returns: str | Stream[Any]) -> Iterator[Iterator[bytes]]:
        """Performs a request of which the bytes of one end-point are read as they come. If it breaks, it is not sent again.

        >>> from rejoin.activities import SqlQueryStatement, SqlResultsToCSV
        >>> csv = SqlResultsToCSV(result_set=SqlQueryStatement(expression="SELECT id FROM orders").result_stream)
        >>> with session.stream(csv, csv.csv_output) as chunks:
        ...     sum(chunk.count(b"\\n") for chunk in chunks)
        25000
        """
        document = self._operations.prepare(what)
        name = returns.name if isinstance(returns, Stream) else returns
        conversation = self._operations.protocol.streamed(document, name)
        with self._transport.stream(conversation, name) as chunks:
            yield chunks

    def update(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None) -> int:
        """Runs a statement that writes; tells how many rows it changed.

        >>> session.update("UPDATE customer SET phone = ? WHERE id = ?", ["01631 1", 42])
        1
        """
        return self._run(self._operations.update(sql, parameters, resource=resource, key=key))

    def update_returning(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None
    ) -> Result:
        """Runs a statement that writes and gives rows itself, by `RETURNING`; gives those.

        >>> session.update_returning("UPDATE customer SET phone = ? WHERE id = ? RETURNING id, phone", ["01631 2", 42]).rows
        [(42, '01631 2')]
        """
        return self._run(self._operations.update_returning(sql, parameters, resource=resource, key=key))

    def update_many(self, sql: str, rows: Iterable[Sequence[Any]], *, resource: str | None = None) -> int:
        """Runs a statement once for each row of parameters; tells how many rows were changed.

        They go in one request, or, if there are very many, in several of some 50,000 values, each of which is done as a whole;
        for all or none of those, do it in a transaction.

        >>> session.update_many("UPDATE customer SET phone = ? WHERE id = ?", [("1", 1), (None, 2)])
        2
        """
        return self._run(self._operations.update_many(sql, rows, resource=resource))

    def perform(self, what: Performable, *, wait: float | None = None, read: bool = False, key: str | None = None) -> Response:
        """Performs any request: activities, or a perform document.

        A request that may change something is sent under an idempotency key, `key` or a new one, and again when its answer is
        lost: it is run once.

        >>> from rejoin.activities import Echo
        >>> say = Echo(text="hello")
        >>> session.perform(say)[say.output].text
        'hello'
        """
        return self._run(self._operations.perform(what, wait=wait, read=read, key=key))

    def raw(self, what: Performable, returns: str | Stream[Any], *, key: str | None = None) -> bytes:
        """Performs any request, and gives the bytes of one end-point.

        >>> from rejoin.activities import Echo
        >>> say = Echo(text="hello")
        >>> session.raw(say, say.output)
        b'hello'
        """
        return self._run(self._operations.raw(what, returns, key=key))

    def submit(self, what: Performable, *, key: str | None = None) -> PendingRequest:
        """Performs a request without waiting for its end.

        Without a session of one's own it gets one, which ends when it has been idle for too long; a document has to ask for it
        itself (`<session/>`), or nobody can be asked how it ended.

        >>> from rejoin.activities import Sleep
        >>> service.submit(Sleep(duration="PT0.01S")).wait(60).request.status
        'COMPLETED'
        """
        return PendingRequest(self._transport, self._run(submit(self._operations, what, key)))
