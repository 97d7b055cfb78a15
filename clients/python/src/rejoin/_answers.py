"""Reads the documents of the service: responses, faults, how a session stands."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from ._exchange import Answer
from ._secret import Secret
from .errors import Fault, FaultDetails, ResultsNotKept, UnexpectedAnswer, fault

if TYPE_CHECKING:
    from .activity import Stream

NAMESPACE = "http://ogsadai.org.uk/namespaces/2005/10/types"
_N = "{" + NAMESPACE + "}"

#: The id of a session in a document, with what is before it.
_SESSION_ID = re.compile(r"""(<(?:\w+:)?session\b[^>]*?\bid\s*=\s*(["']))(.*?)(?=\2)""", re.DOTALL)


@dataclass(frozen=True)
class EndPoint:
    """The data of an output that nobody else reads.

    >>> from rejoin.activities import Echo
    >>> session.perform(Echo(text="hello").named("say"))["say.output"]
    EndPoint(name='say.output', content_type='text/plain…')
    """

    name: str
    content_type: str
    content: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The data as text."""
        return self.content.decode("utf-8")

    def xml(self) -> ElementTree.Element:
        """The data as an XML element.

        >>> from rejoin.activities import SqlUpdateStatement
        >>> update = SqlUpdateStatement(expression="UPDATE customer SET credit = 1 WHERE id < 4")
        >>> session.perform(update)[update.result_stream].xml().text
        '3'
        """
        return ElementTree.fromstring(self.text)

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class SessionTimes:
    """What an answer says of its session: how long it lasts."""

    created: bool
    timeout: int | None
    idle_expires: datetime | None
    lifetime_expires: datetime | None


@dataclass(frozen=True)
class Response:
    """The answer to a perform request: the status of each activity, and the data of each end-point by its name.

    >>> from rejoin.activities import Echo
    >>> response = session.perform(Echo(text="hello").named("say"))
    >>> response.status, dict(response.statuses)
    ('COMPLETED', {'say': 'COMPLETED', 'say.output': 'COMPLETED'})
    """

    request_id: str
    session: SessionTimes
    status: str
    statuses: Mapping[str, str]
    end_points: Mapping[str, EndPoint]
    session_id: str | None = field(repr=False)
    results_kept: bool = True

    def __getitem__(self, end_point: str | Stream[Any]) -> EndPoint:
        """The data of an end-point, by its name or by the stream of an activity."""
        name = end_point if isinstance(end_point, str) else end_point.name
        if name in self.end_points:
            return self.end_points[name]
        if not self.results_kept:
            raise ResultsNotKept(
                FaultDetails(
                    code="ResultsNotKept",
                    message="the request was done, and its answer lost; told again, its results were too large to be kept",
                    request_id=self.request_id,
                )
            )
        names = ", ".join(self.end_points) or "none"
        raise KeyError(f"no end-point {name!r} in the answer; there are: {names}")

    def __repr__(self) -> str:
        return f"Response(status={self.status!r}, end_points={list(self.end_points)!r})"

    def _repr_html_(self) -> str:
        from ._html import table

        rows = [
            (name, status, self.end_points[name].content_type if name in self.end_points else "")
            for name, status in self.statuses.items()
        ]
        return table(("result", "status", "content type"), rows, caption=f"request {self.status}")


def parse(content: bytes) -> ElementTree.Element:
    """The root element of a document of the service."""
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise UnexpectedAnswer(f"the answer is no XML document ({error}); is this the address of a Rejoin service?") from None


def parse_response(content: bytes, document: str | None) -> Response:
    """Reads a response document; raises what its request failed of."""
    root = parse(content)
    session = root.find(f"{_N}session")
    request = root.find(f"{_N}request")
    if root.tag != f"{_N}response" or request is None or session is None:
        raise UnexpectedAnswer(f"the answer is {root.tag!r} in place of a whole response document")
    statuses: dict[str, str] = {}
    end_points: dict[str, EndPoint] = {}
    for result in root.iterfind(f"{_N}result"):
        name = result.get("name", "")
        statuses[name] = result.get("status", "")
        content_type = result.get("contentType")
        if content_type is not None:
            end_points[name] = EndPoint(name, content_type, _data(result))
    error = request.find(f"{_N}error")
    if error is not None:
        raise _failure(error, root.get("requestId", ""), document)
    return Response(
        request_id=root.get("requestId", ""),
        session=SessionTimes(
            created=session.get("created") in ("true", "1"),
            timeout=int(session.get("timeout", "")) if session.get("timeout", "").isdigit() else None,
            idle_expires=_moment(session.get("idleExpires")),
            lifetime_expires=_moment(session.get("lifetimeExpires")),
        ),
        status=request.get("status", ""),
        statuses=statuses,
        end_points=end_points,
        session_id=Secret(session.get("id", "")) or None,
        results_kept=request.get("resultsKept", "true") in ("true", "1"),
    )


def _data(result: ElementTree.Element) -> bytes:
    text = result.text or ""
    if result.get("encoding") == "base64":
        try:
            return base64.b64decode(text)
        except binascii.Error as error:
            raise UnexpectedAnswer(f"the result {result.get('name')!r} is not base64: {error}") from None
    return text.encode("utf-8")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _failure(error: ElementTree.Element, request_id: str, document: str | None) -> Fault:
    """What an `error` element in a response or a status document says, as the fault that it would have been."""
    code, kind = error.get("code", ""), error.get("kind", "")
    message = error.findtext(f"{_N}message", "")
    known = type(fault(FaultDetails(code=code, message=message))) is not Fault
    if not known:
        message = f"{message} ({code})"
        code = {"client": "ActivityFailed", "authorization": "Forbidden"}.get(kind, "Internal")
    location = error.find(f"{_N}location")
    return fault(
        FaultDetails(
            code=code,
            message=message,
            status=200,
            request_id=request_id,
            line=_number(location, "line"),
            column=_number(location, "column"),
            document=_without_id(document),
        )
    )


def _without_id(document: str | None) -> str | None:
    """A document of which a line may be shown: whoever knows the id of a session may join it."""
    if document is None:
        return None
    # As many characters as there were: places in the document stay where they are.
    return _SESSION_ID.sub(lambda found: found[1] + "*" * len(found[3]), document)


def _number(element: ElementTree.Element | None, name: str) -> int | None:
    text = element.get(name) if element is not None else None
    return int(text) if text and text.isdecimal() else None


def parse_fault(answer: Answer, document: str | None) -> Fault | UnexpectedAnswer:
    """The exception for an answer that is no success."""
    try:
        root = ElementTree.fromstring(answer.content)
    except ElementTree.ParseError:
        root = ElementTree.Element("none")
    if root.tag != f"{_N}fault":
        if 300 <= answer.status < 400:
            what = (
                f"HTTP status {answer.status}: something leads elsewhere, where nothing is sent; what is the service's own address?"
            )
        else:
            what = f"HTTP status {answer.status} without a fault document; is this the address of a Rejoin service?"
        return UnexpectedAnswer(what, answer.status)
    location = root.find(f"{_N}location")
    retry_after = root.get("retryAfter", "")
    return fault(
        FaultDetails(
            code=root.get("code", ""),
            message=root.findtext(f"{_N}message", ""),
            status=answer.status,
            request_id=root.get("requestId", ""),
            retryable=root.get("retryable") in ("true", "1"),
            retry_after=float(retry_after) if retry_after.isdecimal() else None,
            recreate_session=root.get("recreateSession") in ("true", "1"),
            reason=root.get("reason"),
            time=root.get("time"),
            line=_number(location, "line"),
            column=_number(location, "column"),
            document=_without_id(document),
        )
    )


@dataclass(frozen=True)
class RequestProgress:
    """How far the latest asynchronous request of a session has got."""

    request_id: str
    status: str
    statuses: Mapping[str, str]
    error: Fault | None


@dataclass(frozen=True)
class SessionStatus:
    """How a session stands; nothing in it gives access.

    >>> session.set("town", "Oban")
    >>> status = session.status()
    >>> status.state, dict(status.attributes)
    ('AVAILABLE', {'town': 'text'})
    """

    handle: str
    state: str
    label: str | None
    idle_expires: datetime | None
    lifetime_expires: datetime | None
    attributes: Mapping[str, str]
    streams: Mapping[str, str]
    request: RequestProgress | None

    def _repr_html_(self) -> str:
        from ._html import table

        rows = [("state", self.state), ("idle until", self.idle_expires), ("lives until", self.lifetime_expires)]
        rows += [(f"attribute {name}", kind) for name, kind in self.attributes.items()]
        rows += [(f"stream {name}", state) for name, state in self.streams.items()]
        return table(("session", self.handle), rows)


def parse_status(content: bytes, document: str | None = None) -> SessionStatus:
    """Reads a `sessionStatus` document. What its request failed of is shown in the document of that."""
    root = parse(content)
    request = root.find(f"{_N}request")
    progress = None
    if request is not None and request.get("status"):
        error = request.find(f"{_N}error")
        request_id = request.get("id", "")
        progress = RequestProgress(
            request_id=request_id,
            status=request.get("status", ""),
            statuses={each.get("name", ""): each.get("status", "") for each in request.iterfind(f"{_N}result")},
            error=_failure(error, request_id, document) if error is not None else None,
        )
    return SessionStatus(
        handle=root.get("handle", ""),
        state=root.get("state", ""),
        label=root.get("label"),
        idle_expires=_moment(root.get("idleExpires")),
        lifetime_expires=_moment(root.get("lifetimeExpires")),
        attributes={each.get("name", ""): each.get("type", "") for each in root.iter(f"{_N}attribute")},
        streams={each.get("name", ""): each.get("state", "") for each in root.iterfind(f"{_N}stream")},
        request=progress,
    )


@dataclass(frozen=True)
class Properties:
    """What a data service resource says of itself.

    >>> "sqlQueryStatement" in service.properties().activities
    True
    """

    name: str
    activities: tuple[str, ...]
    products: tuple[tuple[str, str], ...]

    @property
    def product(self) -> str | None:
        """The name of its first database: ``SQLite``, ``PostgreSQL``, ``MariaDB``, ``MySQL``."""
        return self.products[0][0] if self.products else None


def parse_properties(content: bytes) -> Properties:
    """Reads the properties of a resource."""
    root = parse(content)
    return Properties(
        name=root.get("name", ""),
        activities=tuple(each.get("name", "") for each in root.iter(f"{_N}activity")),
        products=tuple(
            (each.findtext(f"{_N}productName", ""), each.findtext(f"{_N}productVersion", ""))
            for each in root.iter(f"{_N}productInfo")
        ),
    )
