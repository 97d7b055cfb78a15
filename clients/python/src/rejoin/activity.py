"""Steps of a request as objects; the classes of :mod:`rejoin.activities` are made of these.

An activity is a dataclass whose fields know how they are written. Its outputs are :class:`Stream` objects, which other activities
take as inputs; a :class:`Request` gives names to what has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, Self, TypeVar
from xml.etree import ElementTree

from ._xml import element, escape
from .parameters import parameter

__all__ = ["Activity", "Bytes", "Element", "Request", "Rows", "Stream", "Text"]


class Rows:
    """A stream of rows."""


class Text:
    """A stream of text."""


class Bytes:
    """A stream of bytes."""


Kind_co = TypeVar("Kind_co", covariant=True)
A = TypeVar("A", bound="Activity")


class Stream(Generic[Kind_co]):
    """An output of an activity: an input of another one, or, if nobody reads it, an end-point of the answer.

    >>> from rejoin.activities import Echo
    >>> Echo(text="hello").named("say").output
    <stream say.output>
    """

    def __init__(self, activity: Activity, child: str) -> None:
        self.activity = activity
        self.child = child
        self._name: str | None = None

    def named(self, name: str) -> Stream[Kind_co]:
        """Gives the output a name; without, it gets one.

        >>> from rejoin.activities import Echo
        >>> Echo(text="hello").output.named("greeting")
        <stream greeting>
        """
        self._name = name
        return self

    @property
    def name(self) -> str:
        """The name that it has in the document."""
        return self._name or f"{self.activity.name}.{self.child}"

    def __repr__(self) -> str:
        return f"<stream {self.name}>"


def text(value: Any) -> str:
    """A value as it stands in a document."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@dataclass(eq=False)
class Element:
    """Part of an activity. The metadata of a field say what it is written as:

    - ``attribute``: an attribute of that name,
    - ``text``: the text of the element, or a stream, as ``from``, or an XML element in it,
    - ``value``: a child of that name that has the attribute ``key`` and nothing else,
    - ``child``: a child of that name with a text or a stream, an :class:`Element`, or several of them,
    - ``choice``: the number of the group of which exactly one is given, or, if one of them is ``optional``, at the most one.

    >>> from rejoin.activities import SqlParameter
    >>> SqlParameter(position=1, content="7", type="integer").type
    'integer'
    """

    def _parts(self) -> Iterator[tuple[Mapping[str, Any], str, Any]]:
        for each in fields(self):
            if each.metadata:
                yield each.metadata, each.name, getattr(self, each.name)

    def _check_choices(self) -> None:
        groups: dict[int, list[tuple[str, bool, bool]]] = {}
        for metadata, name, value in self._parts():
            if metadata.get("choice") is not None:
                given = value is not None and value is not False and value != ()
                groups.setdefault(metadata["choice"], []).append((name, given, metadata.get("optional", False)))
        for group in groups.values():
            count = sum(given for _, given, _ in group)
            if count > 1 or (count == 0 and not any(optional for _, _, optional in group)):
                names = ", ".join(name for name, _, _ in group)
                raise ValueError(f"{type(self).__name__} takes exactly one of: {names}")

    def _attributes(self) -> dict[str, str | None]:
        written: dict[str, str | None] = {}
        for metadata, _, value in self._parts():
            if value is None:
                continue
            if "attribute" in metadata:
                written[metadata["attribute"]] = text(value)
            elif "text" in metadata and isinstance(value, Stream):
                written["from"] = value.name
        return written

    def _content(self) -> dict[str, list[str]]:
        """What is in the element, by the names of the children; its own text has none."""
        self._check_choices()
        pieces: dict[str, list[str]] = {}
        for metadata, _, value in self._parts():
            name = metadata.get("child") or metadata.get("value") or ""
            if value is None or "attribute" in metadata or (value is False and metadata.get("key") != "value"):
                continue
            if "text" in metadata:
                written = [] if isinstance(value, Stream) else [_inner(value)]
            else:
                several = value if isinstance(value, list | tuple) else [value]
                written = [_child(metadata, name, index, each) for index, each in enumerate(several, 1)]
            pieces.setdefault(name, []).extend(written)
        return pieces

    def inputs(self) -> Iterator[Stream[Any]]:
        """The streams that it reads.

        >>> from rejoin.activities import SqlQueryStatement, SqlResultsToCSV
        >>> query = SqlQueryStatement(expression="SELECT 1").named("query")
        >>> list(SqlResultsToCSV(result_set=query.result_stream).inputs())
        [<stream query.resultStream>]
        """
        for _, _, value in self._parts():
            for each in value if isinstance(value, list | tuple) else [value]:
                if isinstance(each, Stream):
                    yield each
                elif isinstance(each, Element):
                    yield from each.inputs()

    def _write(self, name: str) -> str:
        return element(name, self._attributes(), "".join(piece for pieces in self._content().values() for piece in pieces))


def _inner(value: Any) -> str:
    return ElementTree.tostring(value, encoding="unicode") if isinstance(value, ElementTree.Element) else escape(text(value))


def _child(metadata: Mapping[str, Any], name: str, index: int, value: Any) -> str:
    if isinstance(value, Element):
        return value._write(name)
    if "value" in metadata:
        return element(name, {} if value is True and metadata["key"] != "value" else {metadata["key"]: text(value)})
    if name == "sqlParameter":
        return element(name, {"position": str(index), "from": value.name}) if isinstance(value, Stream) else parameter(index, value)
    if isinstance(value, Stream):
        return element(name, {"from": value.name})
    # An element may say all by being there.
    return element(name, {}, "" if value is True else _inner(value))


@dataclass(eq=False)
class Activity(Element):
    """A step of a request. ``name`` is its name in the document; without one it gets one.

    >>> from rejoin.activities import Echo
    >>> Echo(text="hello").ELEMENT
    'echo'
    """

    ELEMENT: ClassVar[str] = ""
    #: Whether it may change the session, the database or anything else.
    CHANGES: ClassVar[bool] = True
    #: The outputs: the name of the child, whether it may be rows, whether it has to be there.
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    #: The children in their order.
    ORDER: ClassVar[Sequence[str]] = ()

    def __post_init__(self) -> None:
        self._name: str | None = None
        self._outputs: dict[str, Stream[Any]] = {}

    @property
    def name(self) -> str:
        """The name of the step."""
        if self._name is None:
            raise ValueError(f"this {type(self).__name__} has no name yet: it gets one when it is put into a request")
        return self._name

    def named(self, name: str) -> Self:
        """Gives the step a name.

        >>> from rejoin.activities import Echo
        >>> Echo(text="hello").named("say").name
        'say'
        """
        self._name = name
        return self

    def _output(self, child: str) -> Stream[Any]:
        return self._outputs.setdefault(child, Stream(self, child))

    def write(self) -> str:
        """The activity as XML.

        >>> from rejoin.activities import Echo
        >>> Echo(text="hello").named("say").write()
        '<echo name="say"><text>hello</text><output name="say.output"/></echo>'
        """
        pieces = self._content()
        for child, may_be_rows, required in self.OUTPUTS:
            # Rows that nobody reads can't stand in an answer: they are named when somebody asked for them.
            if required or child in self._outputs or not may_be_rows:
                pieces.setdefault(child, []).append(element(child, {"name": self._output(child).name}))
        ordered = "".join(piece for child in self.ORDER for piece in pieces.get(child, []))
        attributes: dict[str, str | None] = {"name": self.name}
        return element(self.ELEMENT, attributes | self._attributes(), ordered)


class Request:
    """Activities, in the order in which they are added, with those whose outputs they read.

    >>> from rejoin.activities import Echo
    >>> Request(Echo(text="hello").named("say")).write()
    '<echo name="say"><text>hello</text><output name="say.output"/></echo>'
    """

    def __init__(self, *activities: Activity, sequence: bool = False) -> None:
        self.activities: list[Activity] = []
        self._sequence = sequence
        for each in activities:
            self.add(each)

    def add(self, activity: A) -> A:
        """Adds an activity, and before it those that it reads from; gives it back.

        >>> from rejoin.activities import Echo
        >>> request = Request()
        >>> say = request.add(Echo(text="hello"))
        >>> session.perform(request)[say.output].text
        'hello'
        """
        if activity not in self.activities:
            for stream in activity.inputs():
                self.add(stream.activity)
            self.activities.append(activity)
        return activity

    @property
    def changes(self) -> bool:
        """Whether it may change anything."""
        return any(each.CHANGES for each in self.activities)

    def write(self) -> str:
        """The activities as XML, one on each line; those without a name have got one.

        >>> from rejoin.activities import Echo
        >>> Request(Echo(text="hello")).write()
        '<echo name="echo1"><text>hello</text><output name="echo1.output"/></echo>'
        """
        taken = {each._name for each in self.activities if each._name is not None}
        for each in self.activities:
            number = 1
            while each._name is None:
                name = f"{each.ELEMENT}{number}"
                if name not in taken:
                    each._name = name
                    taken.add(name)
                number += 1
        written = "\n".join(each.write() for each in self.activities)
        return f"<sequence>\n{written}\n</sequence>" if self._sequence else written
