"""Client of Rejoin, a data service with memory.

>>> import rejoin
>>> with rejoin.connect("http://127.0.0.1:8080", "demo") as service, service.session() as session:
...     frame = session.query("SELECT name FROM customer WHERE town = ?", ["Oban"]).to_pandas()

- :func:`connect` and :func:`connect_async` give a service; its sessions, transactions, streams are objects of
  :mod:`rejoin.session` and :mod:`rejoin.aio`.
- :mod:`rejoin.activities` has a class for each activity, :class:`Request` puts them together.
- :mod:`rejoin.errors` has an exception for each code of a fault.
- :mod:`rejoin.dbapi` is a driver for what speaks Python's DB-API (PEP 249), :mod:`rejoin.sqlalchemy` has dialects.
"""

from __future__ import annotations

import ssl

import httpx

from . import errors
from ._answers import EndPoint, Properties, Response, SessionStatus
from ._connect import Options
from ._connect import options as _options
from .activity import Request
from .aio import AsyncDataService, AsyncSession
from .background import PendingRequest, SessionStream
from .errors import Fault, LostAnswer, RejoinError
from .result import Column, Result
from .rows import RowStream
from .service import DataService
from .session import Cursor, Session, Transaction

__version__ = "0.1.0"

__all__ = [
    "AsyncDataService",
    "AsyncSession",
    "Column",
    "Cursor",
    "DataService",
    "EndPoint",
    "Fault",
    "LostAnswer",
    "PendingRequest",
    "Properties",
    "RejoinError",
    "Request",
    "Response",
    "Result",
    "RowStream",
    "Session",
    "SessionStatus",
    "SessionStream",
    "Transaction",
    "connect",
    "connect_async",
    "errors",
]


def connect(
    url: str,
    resource: str | None = None,
    *,
    auth: tuple[str, str] | None = None,
    token: str | None = None,
    verify: bool | ssl.SSLContext = True,
    timeout: float = 330.0,
    patience: float = 30.0,
    compression: bool | None = None,
    progress: bool | None = None,
    session_header: str = "Rejoin-Session",
    transport: httpx.BaseTransport | None = None,
) -> DataService:
    """Connects to a data service resource; nothing is sent yet.

    `auth` is a user and a password, `token` a bearer token. `verify` is TLS's: an `ssl.SSLContext` for a certificate authority of
    your own. `timeout` is for how many seconds to wait for the next piece of an answer. `patience` is for how many seconds to go
    on sending a request whose answer was lost, or that the service asks to send again; 0 for once. `compression` of answers is on
    but for services on the same machine. `progress` shows a bar on long transfers: on a terminal or in a notebook, if tqdm is
    installed; True and False say so. `session_header` is needed where the service has another name for it. `transport` is handed
    to httpx.

    >>> with rejoin.connect(url, "demo") as service:
    ...     service.query("SELECT count(*) FROM orders").scalar()
    25000
    """
    settings: Options = _options(
        url,
        resource,
        auth,
        token=token,
        verify=verify,
        timeout=timeout,
        compression=compression,
        session_header=session_header,
        transport=transport,
    )
    return DataService(settings, patience=patience, progress=progress)


def connect_async(
    url: str,
    resource: str | None = None,
    *,
    auth: tuple[str, str] | None = None,
    token: str | None = None,
    verify: bool | ssl.SSLContext = True,
    timeout: float = 330.0,
    patience: float = 30.0,
    compression: bool | None = None,
    progress: bool | None = None,
    session_header: str = "Rejoin-Session",
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncDataService:
    """The same as :func:`connect`, for asynchronous programs: what it gives is awaited.

    >>> async with rejoin.connect_async(url, "demo") as service:
    ...     print(await service.query("SELECT count(*) FROM orders"))
    count(*)
    25000
    [1 rows × 1 columns]
    """
    settings: Options = _options(
        url,
        resource,
        auth,
        token=token,
        verify=verify,
        timeout=timeout,
        compression=compression,
        session_header=session_header,
        transport=transport,
    )
    return AsyncDataService(settings, patience=patience, progress=progress)
