"""As much of FlatBuffers as the messages of Arrow need: tables, vectors and strings, read in place."""

from __future__ import annotations

import struct

_I32 = struct.Struct("<i")
_U32 = struct.Struct("<I")
_U16 = struct.Struct("<H")


class Table:
    """A table in a buffer; a field is found by its number in the schema."""

    def __init__(self, data: memoryview, position: int) -> None:
        self.data = data
        self.position = position
        self._fields = position - _I32.unpack_from(data, position)[0]
        self._size = _U16.unpack_from(data, self._fields)[0]

    @classmethod
    def root(cls, data: memoryview) -> Table:
        """The table that a buffer begins with."""
        return cls(data, _U32.unpack_from(data, 0)[0])

    def _at(self, field: int) -> int:
        entry = 4 + 2 * field
        if entry >= self._size:
            return 0
        offset: int = _U16.unpack_from(self.data, self._fields + entry)[0]
        return self.position + offset if offset else 0

    def number(self, field: int, form: str, default: int = 0) -> int:
        """A number, by the letter that `struct` has for its type."""
        at = self._at(field)
        return struct.unpack_from("<" + form, self.data, at)[0] if at else default

    def flag(self, field: int) -> bool:
        """A truth value, false by default."""
        return self.number(field, "B") != 0

    def _reference(self, field: int) -> int:
        at = self._at(field)
        return at + _U32.unpack_from(self.data, at)[0] if at else 0

    def table(self, field: int) -> Table | None:
        """A table, if there is one."""
        at = self._reference(field)
        return Table(self.data, at) if at else None

    def text(self, field: int) -> str:
        """A string, empty by default."""
        at = self._reference(field)
        if not at:
            return ""
        length = _U32.unpack_from(self.data, at)[0]
        return bytes(self.data[at + 4 : at + 4 + length]).decode("utf-8")

    def tables(self, field: int) -> list[Table]:
        """A vector of tables, empty by default."""
        at = self._reference(field)
        if not at:
            return []
        starts = range(at + 4, at + 4 + 4 * _U32.unpack_from(self.data, at)[0], 4)
        return [Table(self.data, start + _U32.unpack_from(self.data, start)[0]) for start in starts]

    def structs(self, field: int, form: str) -> list[tuple[int, ...]]:
        """A vector of structs, each of the numbers that `form` names."""
        at = self._reference(field)
        if not at:
            return []
        count = _U32.unpack_from(self.data, at)[0]
        layout = struct.Struct("<" + form)
        return list(layout.iter_unpack(self.data[at + 4 : at + 4 + count * layout.size]))
