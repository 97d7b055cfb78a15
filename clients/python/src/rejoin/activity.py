"""Steps of a request as objects; the classes of :mod:`rejoin.activities` are made of these.

An activity is a dataclass whose fields know how they are written. Its outputs are :class:`Stream` objects, which other activities
take as inputs; a :class:`Request` gives names to what has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar

from ._xml import element, escape

__all__ = ["Activity", "Bytes", "Element", "Request", "Rows", "Stream", "Text"]


class Rows:
    """A stream of rows."""


class Text:
    """A stream of text."""


class Bytes:
    """A stream of bytes."""


Kind_co = TypeVar("Kind_co", covariant=True)


class Stream(Generic[Kind_co]):
    """An output of an activity: an input of another one, or, if nobody reads it, an end-point of the answer."""

    def __init__(self, activity: Activity, child: str) -> None:
        self.activity = activity
        self.child = child
        self._name: str | None = None

    def named(self, name: str) -> Stream[Kind_co]:
        """Gives the output a name; without, it gets one."""
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
    - ``text``: the text of the element, or a stream, as ``from``,
    - ``value``: a child of that name with an attribute ``value``,
    - ``child``: a child of that name with a text or a stream, an :class:`Element`, or several of them,
    - ``choice``: the number of the group of which exactly one is given.
    """

    ELEMENT: ClassVar[str] = ""

    def _parts(self) -> Iterable[tuple[Mapping[str, Any], str, Any]]:
        for each in fields(self):
            if each.metadata:
                yield each.metadata, each.name, getattr(self, each.name)

    def _check_choices(self) -> None:
        groups: dict[int, list[tuple[str, bool]]] = {}
        for metadata, name, value in self._parts():
            if metadata.get("choice") is not None:
                groups.setdefault(metadata["choice"], []).append((name, value is not None and value is not False))
        for group in groups.values():
            if sum(is_given for _, is_given in group) != 1:
                names = ", ".join(name for name, _ in group)
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

    def _content(self) -> list[str]:
        self._check_choices()
        pieces = []
        for metadata, _, value in self._parts():
            if value is None:
                continue
            if "text" in metadata:
                if not isinstance(value, Stream):
                    pieces.append(escape(text(value)))
            elif "value" in metadata:
                pieces.append(element(metadata["value"], {"value": text(value)}))
            elif "child" in metadata:
                several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
                pieces += [_child(metadata["child"], each) for each in several if each is not False]
        return pieces

    def inputs(self) -> Iterable[Stream[Any]]:
        """The streams that it reads."""
        for _, _, value in self._parts():
            for each in value if isinstance(value, list | tuple) else [value]:
                if isinstance(each, Stream):
                    yield each
                elif isinstance(each, Element):
                    yield from each.inputs()

    def _write(self, name: str) -> str:
        return element(name, self._attributes(), "".join(self._content()))


def _child(name: str, value: Any) -> str:
    if isinstance(value, Stream):
        return element(name, {"from": value.name})
    if isinstance(value, Element):
        return value._write(name)
    if value is True:
        # An element that says all by being there.
        return element(name, {})
    return element(name, {}, escape(text(value)))


@dataclass(eq=False)
class Activity(Element):
    """A step of a request. ``name`` is its name in the document; without one it gets one."""

    #: Whether it may change the session, the database or anything else.
    CHANGES: ClassVar[bool] = True
    #: The outputs, in the order of the children behind which they stand: name of the child, rows or not, required or not.
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

    def named(self, name: str) -> Any:
        """Gives the step a name."""
        self._name = name
        return self

    def output(self, child: str) -> Stream[Any]:
        """The output of that child."""
        return self._outputs.setdefault(child, Stream(self, child))

    def write(self) -> str:
        """The activity as XML."""
        self._check_choices()
        pieces: dict[str, list[str]] = {}
        plain: list[str] = []
        for metadata, _, value in self._parts():
            name = metadata.get("child") or metadata.get("value")
            if name is None:
                if "text" in metadata and value is not None and not isinstance(value, Stream):
                    plain.append(escape(text(value)))
                continue
            if value is None or (value is False and "child" in metadata):
                continue
            several = value if isinstance(value, list | tuple) else [value]
            written = [element(name, {"value": text(each)}) if "value" in metadata else _child(name, each) for each in several]
            pieces.setdefault(name, []).extend(written)
        for child, is_rows, required in self.OUTPUTS:
            # Rows that nobody reads can't stand in an answer: they are named when somebody asked for them.
            if required or child in self._outputs or not is_rows:
                pieces.setdefault(child, []).append(element(child, {"name": self.output(child).name}))
        ordered = [piece for child in self.ORDER for piece in pieces.get(child, [])]
        attributes: dict[str, str | None] = {"name": self.name}
        return element(self.ELEMENT, attributes | self._attributes(), "".join(plain + ordered))


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

    def add(self, activity: Any) -> Any:
        """Adds an activity, and before it those that it reads from; gives it back."""
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
        """The activities as XML, one on each line; those without a name have got one."""
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
