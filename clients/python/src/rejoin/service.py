"""The blocking client: a data service resource."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from ._answers import Properties
from ._connect import Options
from ._operations import Operations
from ._performer import Performer
from ._protocol import Protocol
from ._transport import Transport
from .errors import RejoinError
from .session import Session

__all__ = ["DataService"]


class DataService(Performer):
    """A data service resource. Requests that are made here have a session of their own each, which ends with them.

    >>> service
    <DataService http://…/services/demo>
    """

    def __init__(self, options: Options, *, patience: float = 30.0, progress: bool | None = None) -> None:
        client = httpx.Client(**options.http())
        protocol = Protocol(options.path, options.session_header, patience)
        super().__init__(Transport(client, progress), Operations(protocol))
        self._options = options

    @property
    def url(self) -> str:
        """The address of the resource, without user and password."""
        return self._options.base + self._options.path

    @property
    def name(self) -> str:
        """The name of the resource."""
        return self._options.resource

    def session(self, *, timeout: float | None = None) -> Session:
        """Creates a session, with an idle time-out of so many seconds if the service grants it.

        >>> with service.session(timeout=30) as session:
        ...     session.timeout
        30.0
        """
        session_id, response = self._run(self._operations.create(timeout))
        return Session(self._transport, self._operations.protocol, session_id, self.name, response)

    def join(self, session_id: str) -> Session:
        """The session of that id, which was kept from before. Nothing is asked until it is used.

        >>> session.set("town", "Oban")
        >>> service.join(session.id).get("town")
        'Oban'
        """
        return Session(self._transport, self._operations.protocol, session_id, self.name, None)

    def properties(self) -> Properties:
        """What the resource says of itself: activities, databases.

        >>> service.properties().product
        'SQLite'
        """
        return self._run(self._operations.protocol.properties())

    def close(self) -> None:
        """Closes the connections; sessions go on until they are idle for too long.

        >>> other = rejoin.connect(url, "demo")
        >>> other.close()
        """
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<DataService {self.url}>"

    def _repr_html_(self) -> str:
        from html import escape

        from ._html import table

        try:
            properties = self._run(self._operations.impatient.protocol.properties())
        except RejoinError as error:
            return escape(f"{self!r}: {error}")
        rows = [*properties.products, ("activities", str(len(properties.activities)))]
        return table(("resource", self.name), rows)
