"""The exceptions of PEP 249, and which of them a fault is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .. import errors


class Warning(Exception):
    """Something that is worth mentioning; not raised by this driver."""


class Error(Exception):
    """Anything that goes wrong. ``fault`` is the exception of :mod:`rejoin.errors` behind it, if there is one.

    >>> try:
    ...     connection.cursor().execute("SELECT * FROM nowhere")
    ... except dbapi.Error as error:
    ...     type(error).__name__, error.fault.activity_code
    ('ProgrammingError', 'SqlError')
    """

    fault: errors.RejoinError | None = None

    @property
    def sqlstate(self) -> str | None:
        """The SQLSTATE that the database gave, if it did."""
        return self.fault.sqlstate if isinstance(self.fault, errors.Fault) else None


class InterfaceError(Error):
    """The driver is used in a way that can't work, such as a closed connection."""


class DatabaseError(Error):
    """What the database, or the service, says."""


class DataError(DatabaseError):
    """A value can't be what it should be."""


class OperationalError(DatabaseError):
    """What the program can't help: connections, time-outs, conflicts with others."""


class IntegrityError(DatabaseError):
    """A constraint is violated."""


class InternalError(DatabaseError):
    """The service or the database failed."""


class ProgrammingError(DatabaseError):
    """The statement is wrong."""


class NotSupportedError(DatabaseError):
    """The database, or the service, can't do this."""


# By the first two characters of the SQLSTATE (ISO/IEC 9075).
_SQLSTATE_CLASSES: dict[str, type[DatabaseError]] = {
    "07": ProgrammingError,
    "0A": NotSupportedError,
    "20": ProgrammingError,
    "21": ProgrammingError,
    "22": DataError,
    "23": IntegrityError,
    "25": InternalError,
    "26": ProgrammingError,
    "2F": InternalError,
    "34": ProgrammingError,
    "3D": ProgrammingError,
    "3F": ProgrammingError,
    "42": ProgrammingError,
    "44": IntegrityError,
    "XX": InternalError,
}

_ACTIVITY_CLASSES: dict[str, type[DatabaseError]] = {
    "SqlReadOnly": NotSupportedError,
    "SqlUnsupported": NotSupportedError,
    "ImplicitCommit": NotSupportedError,
    "SqlData": DataError,
    "ValueInvalid": DataError,
    "FormatError": DataError,
    "SqlError": ProgrammingError,
}


def _of_activity(fault: errors.ActivityFailed) -> type[DatabaseError]:
    state = fault.sqlstate
    # SQLite has no SQLSTATE, and says so in words.
    if "constraint failed" in fault.message:
        return IntegrityError
    if state == "08P01":
        # Not the connection: as many parameters as the statement has were not given.
        return ProgrammingError
    if state is not None and state[:2] in _SQLSTATE_CLASSES:
        return _SQLSTATE_CLASSES[state[:2]]
    if state is not None and state != "HY000":
        return OperationalError
    return _ACTIVITY_CLASSES.get(fault.activity_code or "", OperationalError)


def translated(problem: errors.RejoinError | ValueError | TypeError) -> Error:
    """The exception of PEP 249 for one of the client."""
    kind: type[Error]
    match problem:
        case errors.ActivityFailed():
            kind = _of_activity(problem)
        case errors.InvalidRequest():
            kind = ProgrammingError
        case errors.Internal():
            kind = InternalError
        case errors.RejoinError():
            kind = OperationalError
        case ValueError():
            kind = DataError
        case _:
            kind = InterfaceError
    error = kind(str(problem))
    error.fault = problem if isinstance(problem, errors.RejoinError) else None
    return error


@contextmanager
def raising() -> Iterator[None]:
    """Turns what the client raises into exceptions of PEP 249."""
    try:
        yield
    except (errors.RejoinError, ValueError, TypeError) as problem:
        error = translated(problem)
        # A fault says all by itself. What else is wrong may be wrong anywhere.
        cause = None if isinstance(problem, errors.RejoinError) else problem
    else:
        return
    raise error from cause
