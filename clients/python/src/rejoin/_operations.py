"""What a session, or a service without one, can be asked: each as a conversation, for clients that block and that don't."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

from ._answers import NAMESPACE, Response
from ._exchange import Conversation, header_value
from ._protocol import Document, Protocol
from ._xml import element, escape
from .activity import Activity, Request, Stream
from .errors import FaultDetails, SessionEnded, UnexpectedAnswer
from .parameters import Batch, batches, given
from .result import Result

_COUNT = re.compile(rb"<updateCount>(\d+)</updateCount>")

_ENDED = FaultDetails(
    code="SessionEnded", message="the session was ended here; create a new one", recreate_session=True, reason="terminated"
)

#: What a request may be made of: activities, or a perform document as it is.
Performable = Request | Activity | str


@dataclass
class SessionState:
    """The session that requests join: its id, which rotation changes."""

    session_id: str = field(repr=False)
    ended: bool = False

    def __post_init__(self) -> None:
        self.session_id = header_value("a session id", self.session_id)


@dataclass(frozen=True)
class TransactionState:
    """A transaction as it stands."""

    state: str
    id: str | None
    isolation: str | None
    retryable: bool


def seconds(value: float | None) -> str | None:
    """A time in seconds as a document has it."""
    return None if value is None else ("unbounded" if value == float("inf") else str(round(value * 1000)))


@dataclass(frozen=True)
class Operations:
    """Conversations in one session, or each in a session of its own."""

    protocol: Protocol
    state: SessionState | None = None

    @property
    def impatient(self) -> Operations:
        """The same, each asked for once: for what is merely shown, or is tidied up behind something that failed."""
        return replace(self, protocol=replace(self.protocol, patience=0.0))

    def document(
        self,
        content: str,
        *,
        changes: bool,
        session: Mapping[str, str | None] | None = None,
        progress: str | None = None,
    ) -> Document:
        """A document of these activities; `session` are the attributes of its session element."""
        if self.state is not None and self.state.ended:
            raise SessionEnded(_ENDED)
        requirement = element("session", session) + "\n" if session is not None else ""
        text = f'<perform xmlns="{NAMESPACE}">\n{requirement}{content}\n</perform>'
        waits = session is None or session.get("wait") is None
        return Document(text, changes, self.state.session_id if self.state else None, progress, waits)

    def prepare(self, what: Performable, *, wait: float | None = None, read: bool = False) -> Document:
        """The document of a request."""
        if isinstance(what, str):
            if wait is not None or read:
                raise ValueError("`wait` and `read` belong into the session element of the document")
            # Nobody knows what is in it.
            return Document(what, True, self.state.session_id if self.state else None)
        request = Request(what) if isinstance(what, Activity) else what
        return self.document(request.write(), changes=request.changes, session=_joining(wait, read))

    def prepare_submission(self, what: Performable) -> Document:
        """The document of a request that nobody waits for. Its session has to outlive it, so that it can be asked how it ended."""
        if isinstance(what, str) or self.state is not None:
            return self.prepare(what)
        request = Request(what) if isinstance(what, Activity) else what
        return self.document(request.write(), changes=True, session={"mode": "create"})

    def create(self, timeout: float | None) -> Conversation[tuple[str, Response]]:
        """A new session."""
        document = self.document("", changes=True, session={"mode": "create", "timeout": seconds(timeout)})
        response = yield from self.protocol.perform(document)
        if response.session_id is None:
            raise UnexpectedAnswer("the service did not tell the id of the new session: it gives it to browsers alone")
        return response.session_id, response

    def rotate(self) -> Conversation[None]:
        """Gives the session a new id."""
        response = yield from self.protocol.perform(self.document("", changes=True, session={"rotate": "true"}))
        if self.state is not None and response.session_id is not None:
            self.state.session_id = header_value("a session id", response.session_id)

    def renew(self) -> Conversation[Response]:
        """Keeps the session alive."""
        return (yield from self.protocol.perform(self.document("", changes=False)))

    def perform(
        self, what: Performable, *, wait: float | None = None, read: bool = False, key: str | None = None
    ) -> Conversation[Response]:
        """Any request."""
        return (yield from self.protocol.perform(self.prepare(what, wait=wait, read=read), key=key))

    def raw(self, what: Performable, returns: str | Stream[Any], *, key: str | None = None) -> Conversation[bytes]:
        """Any request, of which the bytes of one end-point come back."""
        document = self.prepare(what)
        name = returns.name if isinstance(returns, Stream) else returns
        return (yield from self.protocol.raw(replace(document, progress=name), name, key=key)).content

    def query_document(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        resource: str | None = None,
        wait: float | None = None,
        read: bool = False,
    ) -> Document:
        """The document of a query whose rows come as Arrow, the end-point `result`."""
        content = statement("sqlQueryStatement", "query", sql, given(parameters), "rows", resource) + "\n" + AS_ARROW
        return self.document(content, changes=False, session=_joining(wait, read), progress="rows")

    def query(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        resource: str | None = None,
        wait: float | None = None,
        read: bool = False,
    ) -> Conversation[Result]:
        """The rows of a query."""
        document = self.query_document(sql, parameters, resource=resource, wait=wait, read=read)
        return Result((yield from self.protocol.raw(document, "result")).content)

    def update(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None
    ) -> Conversation[int]:
        """How many rows a statement changed."""
        content = statement("sqlUpdateStatement", "update", sql, given(parameters), "changed", resource)
        answer = yield from self.protocol.raw(self.document(content, changes=True), "changed", key=key)
        return count_of(answer.content)

    def update_returning(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None
    ) -> Conversation[Result]:
        """The rows that a statement gives itself."""
        document = self.document(returning(sql, given(parameters), resource), changes=True, progress="rows")
        return Result((yield from self.protocol.raw(document, "result", key=key)).content)

    def update_many(self, sql: str, rows: Iterable[Sequence[Any]], *, resource: str | None = None) -> Conversation[int]:
        """How many rows a statement changed that was run with each row of parameters."""
        changed = 0
        for batch in batches(iter(rows)):
            response = yield from self.protocol.perform(self.document(batch.write(sql, resource), changes=True))
            changed += changed_by(batch, response)
        return changed

    def keep(self, attribute: str, sql: str, parameters: Sequence[Any], append: bool, resource: str | None) -> Conversation[None]:
        """Keeps the rows of a query in the session."""
        content = statement("sqlQueryStatement", "query", sql, given(parameters), "rows", resource)
        target = element("toSession", {"attribute": attribute, "mode": "append" if append else "replace"})
        content += f'\n<deliverToSession name="keep"><fromLocal from="rows"/>{target}</deliverToSession>'
        yield from self.protocol.perform(self.document(content, changes=True))

    def take(self, attribute: str) -> Conversation[Result]:
        """The rows that an attribute keeps."""
        source = element("fromSession", {"attribute": attribute})
        content = f'<deliverFromSession name="take">{source}<toLocal name="rows"/></deliverFromSession>\n{AS_ARROW}'
        document = self.document(content, changes=False, progress="rows")
        return Result((yield from self.protocol.raw(document, "result")).content)

    def _attribute(self, operation: str, *, changes: bool) -> Conversation[ElementTree.Element]:
        content = f'<sessionAttributeManagement name="attribute">{operation}<output name="state"/></sessionAttributeManagement>'
        answer = yield from self.protocol.raw(self.document(content, changes=changes), "state")
        return ElementTree.fromstring(answer.content)

    def get(self, name: str) -> Conversation[Any]:
        """The value of an attribute."""
        return _value((yield from self._attribute(element("getAttribute", {"name": name}), changes=False)))

    def set(self, name: str, value: Any) -> Conversation[None]:
        """Sets an attribute."""
        match value:
            case bool():
                kind, content = "boolean", str(value).lower()
            case int():
                kind, content = "integer", str(int(value))
            case float():
                # The forms of XML Schema.
                kind, content = "real", repr(float(value)).replace("nan", "NaN").replace("inf", "INF")
            case str():
                kind, content = "text", escape(str.__str__(value))
            case ElementTree.Element():
                kind, content = "xml", ElementTree.tostring(value, encoding="unicode")
            case _:
                raise TypeError(f"a session attribute can't be of the type {type(value).__name__}; keep rows with keep()")
        operation = element("setAttribute", {"name": name, "type": kind}, content)
        yield from self._attribute(operation, changes=True)

    def increment(self, name: str, by: int) -> Conversation[int]:
        """Adds to an attribute."""
        operation = element("incrementAttribute", {"name": name, "by": str(by)})
        return int((yield from self._attribute(operation, changes=True)).text or 0)

    def remove(self, name: str) -> Conversation[None]:
        """Removes an attribute."""
        yield from self._attribute(element("removeAttribute", {"name": name}), changes=True)

    def attributes(self) -> Conversation[dict[str, str]]:
        """Names and types of the attributes."""
        listed = yield from self._attribute("<listAttributes/>", changes=False)
        return {each.get("name", ""): each.get("type", "") for each in listed}

    def transaction(self, step: str, attributes: Mapping[str, str | None]) -> Conversation[TransactionState]:
        """A step of a transaction: `begin`, `commit`, `rollback`, `savepoint`, `rollbackTo`, `releaseSavepoint`, `state`."""
        content = transaction_step(step, attributes)
        answer = yield from self.protocol.raw(self.document(content, changes=step != "state"), "transactionState")
        state = ElementTree.fromstring(answer.content)
        return TransactionState(
            state=state.get("state", ""),
            id=state.get("id"),
            isolation=state.get("isolation"),
            retryable=state.get("retryable") == "true",
        )

    def open_cursor(self, name: str | None, sql: str, parameters: Sequence[Any], resource: str | None) -> Conversation[str]:
        """Opens a cursor; tells its name."""
        # Others may have joined the session, and cursors there.
        name = name or f"cursor-{secrets.token_hex(4)}"
        content = element(
            "openCursor",
            {"name": name, "resource": resource},
            given(parameters) + element("expression", {}, escape(sql)),
        )
        yield from self.protocol.perform(self.document(content, changes=True))
        return name

    def fetch_cursor(self, name: str, rows: int) -> Conversation[Result]:
        """The next rows of a cursor."""
        document = self.document(fetch(name, rows), changes=True, progress="rows")
        return Result((yield from self.protocol.raw(document, "result")).content)

    def close_cursor(self, name: str) -> Conversation[None]:
        """Closes a cursor."""
        content = element("closeCursor", {"name": "close"}, element("cursor", {"name": name}))
        yield from self.protocol.perform(self.document(content, changes=True))


AS_ARROW = '<sqlResultsToArrow name="format"><resultSet from="rows"/><arrowOutput name="result"/></sqlResultsToArrow>'


def _joining(wait: float | None, read: bool) -> dict[str, str | None] | None:
    if wait is None and not read:
        return None
    return {"wait": seconds(wait), "access": "read" if read else None}


def statement(activity: str, name: str, sql: str, parameters: str, output: str, resource: str | None) -> str:
    """A statement, and the name of its output."""
    expression = element("expression", {}, escape(sql))
    result = element("resultStream", {"name": output})
    return element(activity, {"name": name, "resource": resource}, parameters + expression + result)


def returning(sql: str, parameters: str, resource: str | None) -> str:
    """A statement that writes and gives rows itself, as Arrow, and the number of rows that it changed."""
    outputs = '<resultStream name="changed"/><returnedRows name="rows"/>'
    content = parameters + element("expression", {}, escape(sql)) + outputs
    return element("sqlUpdateStatement", {"name": "update", "resource": resource}, content) + "\n" + AS_ARROW


def fetch(cursor: str, rows: int) -> str:
    """Fetches rows from a cursor, as Arrow."""
    wanted = element("cursor", {"name": cursor, "rows": str(rows)})
    return element("fetchCursor", {"name": "fetch"}, wanted + '<resultStream name="rows"/>') + "\n" + AS_ARROW


def transaction_step(step: str, attributes: Mapping[str, str | None], name: str = "transaction") -> str:
    """A step of the session's transaction."""
    output = element("output", {"name": f"{name}State"})
    return element("transactionManagement", {"name": name}, element(step, attributes) + output)


def count_of(content: bytes) -> int:
    """The number in an `updateCount`."""
    found = _COUNT.fullmatch(content.strip())
    if found is None:
        raise UnexpectedAnswer("the answer does not tell how many rows were changed; is this the address of a Rejoin service?")
    return int(found[1])


def changed_by(batch: Batch, response: Response) -> int:
    """How many rows the statements of a batch changed."""
    return sum(count_of(response[name].content) for name in batch.outputs)


def _value(attribute: ElementTree.Element) -> Any:
    content = attribute.text or ""
    match attribute.get("type"):
        case "integer":
            return int(content)
        case "real":
            return float(content)
        case "boolean":
            return content in ("true", "1")
        case "xml":
            return attribute[0] if len(attribute) else None
        case "text" | None:
            return content
        case other:
            raise ValueError(f"the attribute {attribute.get('name')!r} keeps {other}: read it with take()")
