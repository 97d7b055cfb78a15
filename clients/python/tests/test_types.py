"""Values of every type go there and come back: by queries, by the driver, and into frames, on each database."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import uuid
from decimal import Decimal

import numpy
import pandas
import polars
import pytest

from rejoin import dbapi

MOMENT = dt.datetime(2026, 11, 22, 12, 30, 0, 250000, tzinfo=dt.UTC)
STAMP = dt.datetime(1969, 7, 20, 20, 17, 40, 500000)
ID = uuid.UUID("cda40689-f4d6-4234-ab88-9305393a9ee2")
TEXT = "a <b> & 'c' \"d\" \r\n\t ]]> \\ ? % ✓ 𝄞"

#: For each database: the type of a column, what is stored, and what is read if that is something else.
VALUES = {
    "sqlite": [
        ("INTEGER", 2**63 - 1),
        ("INTEGER", -(2**63) + 1),
        ("REAL", 0.1),
        ("REAL", math.inf),
        ("TEXT", TEXT),
        ("BLOB", bytes(range(256))),
        ("BLOB", b""),
        ("BOOLEAN", True, 1),
        ("NUMERIC(20,4)", Decimal("1234567890.7891")),
        ("DECIMAL(9)", Decimal(3)),
        ("TEXT", "2026-11-22"),
        ("TEXT", dt.date(2026, 11, 22), "2026-11-22"),
        ("TEXT", MOMENT, "2026-11-22 12:30:00.250000+00:00"),
        ("TEXT", {"a": [1, None, "é"]}, '{"a": [1, null, "é"]}'),
    ],
    "postgres": [
        ("bigint", -(2**63)),
        ("numeric", Decimal(2**200)),
        ("numeric", Decimal("1.500")),
        ("numeric", Decimal("NaN")),
        ("numeric(38,4)", Decimal("1234567890123456789012345678901234.7891")),
        ("double precision", 1e-300),
        ("double precision", math.inf),
        ("double precision", math.nan),
        ("real", 0.5),
        ("text", TEXT),
        ("varchar(9)", ""),
        ("bytea", bytes(range(256))),
        ("boolean", False),
        ("date", dt.date(1, 1, 1)),
        ("time", dt.time(23, 59, 59, 999999)),
        ("timestamp", STAMP),
        ("timestamptz", MOMENT.astimezone(dt.timezone(dt.timedelta(hours=-5, minutes=-30))), MOMENT),
        ("interval", dt.timedelta(days=-1, hours=3, microseconds=5)),
        ("uuid", ID),
        ("jsonb", {"a": [1, None, "é"]}, '{"a": [1, null, "é"]}'),
        ("integer[]", [1, None, -3]),
        ("text[]", ["a b", 'c"\\,{}', None, "", "NULL"]),
        ("numeric(9,2)[]", [Decimal("1.50")]),
        ("bytea[]", [b"\x00\xff"]),
        ("boolean[]", [True, False]),
        ("timestamptz[]", [MOMENT]),
        ("integer[]", []),
    ],
    "mariadb": [
        ("BIGINT", -(2**63)),
        ("BIGINT UNSIGNED", 2**64 - 1),
        ("DECIMAL(65,4)", Decimal("1234567890123456789012345678901234567890.7891")),
        ("DOUBLE", 1e-300),
        ("FLOAT", 0.5),
        ("TEXT", TEXT),
        ("VARCHAR(9)", ""),
        ("LONGBLOB", bytes(range(256))),
        ("BIT(1)", True),
        ("DATE", dt.date(1000, 1, 1)),
        ("TIME(6)", dt.time(23, 59, 59, 999999)),
        ("DATETIME(6)", STAMP),
        ("UUID", ID, str(ID)),
        ("JSON", {"a": [1, None, "é"]}, '{"a": [1, null, "é"]}'),
    ],
}


def same(one: object, other: object) -> bool:
    if isinstance(one, float | Decimal) and isinstance(other, float | Decimal) and math.isnan(one):
        return type(one) is type(other) and math.isnan(other)
    if isinstance(one, str) and one.startswith("{"):
        return json.loads(one) == json.loads(str(other))
    return type(one) is type(other) and one == other


@pytest.fixture
def stored(service, kind, table):
    """A table with a column for each value, the values, and what is read."""
    columns = VALUES[kind]
    written = ", ".join(f"c{i} {column[0]}" for i, column in enumerate(columns))
    service.update(f"CREATE TABLE {table} (n INTEGER PRIMARY KEY, {written})")
    return table, [column[1] for column in columns], [column[-1] for column in columns]


def check(rows: list[tuple[object, ...]], expected: list[object]) -> None:
    assert len(rows) == 2
    for i, (read, wanted) in enumerate(zip(rows[0], expected, strict=True)):
        assert same(read, wanted), f"column {i}: {read!r} in place of {wanted!r}"
    assert set(rows[1]) == {None}


def test_values_come_back_as_they_went(service, stored):
    table, values, expected = stored
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * (len(values) + 1))})"
    assert service.update(insert, [1, *values]) == 1
    assert service.update(insert, [2, *[None] * len(values)]) == 1
    query = f"SELECT * FROM {table} ORDER BY n"
    check([row[1:] for row in service.query(query).rows], expected)
    with service.stream_query(query) as rows:
        check([row[1:] for row in rows], expected)
    # Many rows travel in another form.
    assert service.update_many(insert, [(3, *values), (4, *[None] * len(values))]) == 2
    check([row[1:] for row in service.query(f"SELECT * FROM {table} WHERE n > 2 ORDER BY n")], expected)


def test_the_driver_gives_what_it_took(stage, kind, service, stored):
    table, values, expected = stored
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * (len(values) + 1))})"
    with dbapi.connect(stage.service.url, kind) as connection:
        cursor = connection.cursor()
        cursor.execute(insert, [1, *values])
        cursor.executemany(insert, [(2, *[None] * len(values))])
        cursor.execute(f"SELECT * FROM {table} ORDER BY n")
        check([row[1:] for row in cursor.fetchall()], expected)
        codes = [each[1] for each in cursor.description[1:]]
    for code, value in zip(codes, expected, strict=True):
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            assert code == dbapi.NUMBER
        if isinstance(value, bytes):
            assert code == dbapi.BINARY
        if isinstance(value, dt.date | dt.time | dt.timedelta):
            assert code == dbapi.DATETIME


def test_frames_have_the_same_values(service, kind, stored):
    table, values, expected = stored
    service.update(f"INSERT INTO {table} VALUES ({', '.join('?' * (len(values) + 1))})", [1, *values])
    service.update(f"INSERT INTO {table} (n) VALUES (2)")
    result = service.query(f"SELECT * FROM {table} ORDER BY n")
    frame = result.to_pandas()
    assert frame.shape == (2, len(values) + 1)
    for i, wanted in enumerate(expected):
        read = frame.iloc[0, i + 1]
        if isinstance(wanted, int):
            assert int(read) == wanted
        elif isinstance(wanted, Decimal | str):
            assert str(read) == str(wanted) or json.loads(read) == json.loads(str(wanted))
        elif isinstance(wanted, dt.datetime):
            assert read == pandas.Timestamp(wanted)
        missing = frame.iloc[1, i + 1]
        assert missing is None or missing is pandas.NaT or missing is pandas.NA or math.isnan(missing)
    assert result.to_arrow().num_rows == 2
    if kind != "postgres":
        # (polars has no spans of months, and no decimals of 65 digits.)
        named = [f"c{i}" for i, column in enumerate(VALUES[kind]) if column[0] != "DECIMAL(65,4)"]
        frame = service.query(f"SELECT {', '.join(named)} FROM {table} ORDER BY n").to_polars()
        assert isinstance(frame, polars.DataFrame)
        assert [value is None for value in frame.row(1)] == [True] * len(named)


def test_integers_beside_null_are_not_rounded(service):
    numbers = service.query("SELECT 4611686018427387905 AS large, 1 AS small UNION ALL SELECT NULL, NULL").to_pandas()
    assert numbers["large"].tolist()[0] == 4611686018427387905
    assert numbers["large"].isna().tolist() == [False, True]
    assert numbers["small"].dtype == "float64"
    assert service.query("SELECT 4611686018427387905 AS large").to_pandas()["large"].dtype == "int64"


def test_what_has_no_rows_has_columns(stage, kind, service, people):
    result = service.query(f"SELECT id, name FROM {people} WHERE id > 9")
    assert (result.rows, len(result), [column.name for column in result.columns]) == ([], 0, ["id", "name"])
    assert result.to_pandas().shape == result.to_polars().shape == (0, 2)
    assert repr(result) == "id  name\n[0 rows × 2 columns]"
    with service.stream_query(f"SELECT id FROM {people} WHERE id > 9") as rows:
        assert [column.name for column in rows.columns] == ["id"]
        assert list(rows) == []
    with service.session() as session, session.cursor(f"SELECT id FROM {people} WHERE id > 9") as cursor:
        assert [len(cursor.fetch()), len(cursor.fetch())] == [0, 0]
    with dbapi.connect(stage.service.url, kind) as connection:
        cursor = connection.cursor().execute(f"SELECT id FROM {people} WHERE id > 9")
        assert (cursor.description[0][0], cursor.rowcount, cursor.fetchone(), cursor.fetchall()) == ("id", 0, None, [])


def test_columns_of_one_name_are_not_lost(service):
    result = service.query("SELECT 1 AS a, 2 AS a")
    assert result.rows == [(1, 2)]
    assert result.to_pandas().to_numpy().tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="more than one column has the name 'a'"):
        result.dicts()
    with pytest.raises(Exception, match="a"):
        result.to_polars()


class Colour(enum.Enum):
    RED = "red"


class Level(int, enum.Enum):
    HIGH = 3


class Town(str, enum.Enum):  # noqa: UP042 (whose str() is not its value)
    OBAN = "Oban"


def test_values_of_other_libraries_are_what_they_stand_for(service, people):
    def asked(value: object) -> object:
        return service.query(f"SELECT count(*) FROM {people} WHERE id = ?", [value]).scalar()

    assert [asked(Level.HIGH), asked(numpy.int16(3)), asked(numpy.float64(3)), asked(numpy.array(3))] == [1, 1, 1, 1]
    assert service.query(f"SELECT count(*) FROM {people} WHERE town = ?", [Town.OBAN]).scalar() == 1
    assert service.query(f"SELECT count(*) FROM {people} WHERE town = ?", [numpy.str_("Oban")]).scalar() == 1
    missing = [None, pandas.NaT, pandas.NA, numpy.datetime64("NaT")]
    assert [service.query("SELECT COALESCE(?, 'nothing')", [value]).scalar() for value in missing] == ["nothing"] * 4
    moment = numpy.datetime64("2026-11-22T08:00:00.5", "ns")
    assert service.query("SELECT ?", [moment]).scalar() == "2026-11-22 08:00:00.500000"
    for wrong in (Colour.RED, numpy.array([3]), pandas.Series([3]), object()):
        with pytest.raises(TypeError, match="can't be of the type"):
            asked(wrong)
    for wrong in ("abc", b"abc", {"a": 1}, {1, 2}, 5):
        with pytest.raises(TypeError, match="a sequence, one value for each"):
            service.query("SELECT ?", wrong)
        with pytest.raises(TypeError, match="a sequence, one value for each"):
            service.update_many("DELETE FROM nowhere WHERE a = ?", [wrong])


def test_rows_without_values_are_rows(service, kind, table):
    key = {"sqlite": "INTEGER PRIMARY KEY", "postgres": "SERIAL PRIMARY KEY", "mariadb": "INTEGER PRIMARY KEY AUTO_INCREMENT"}[kind]
    service.update(f"CREATE TABLE {table} (id {key})")
    insert = f"INSERT INTO {table} VALUES ()" if kind == "mariadb" else f"INSERT INTO {table} DEFAULT VALUES"
    assert service.update_many(insert, [(), [], ()]) == 3
    assert service.query(f"SELECT count(*) FROM {table}").scalar() == 3
    assert service.update_many(insert, []) == 0


def test_question_marks_are_parameters_where_they_stand_free(stage, service, kind, people):
    comment = "/* ? */ -- ?\n"
    assert service.query(f"SELECT '?', '%s', '100%', ? {comment}", [7]).rows[0][:3] == ("?", "%s", "100%")
    with dbapi.connect(stage.service.url, kind) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT name, '?', '%(a)s' FROM {people} {comment} WHERE id = ? AND name <> 'it''s ?'", [1])
        assert cursor.fetchall() == [("Ada", "?", "%(a)s")]
        cursor.execute(f"UPDATE {people} SET town = '?' WHERE id = ? /* ' */ AND name <> ?", (1, "RETURNING"))
        assert cursor.rowcount == 1
        if kind == "postgres":
            assert cursor.execute(
                "SELECT '{\"a\":1}'::jsonb ?? ?, '\\', '{\"a\":{\"b\":2}}'::jsonb #>> '{a,b}'", ["a"]
            ).fetchall() == [(True, "\\", "2")]
        assert cursor.execute("SELECT 1", None).fetchone() == (1,)
        cursor.executemany(f"DELETE FROM {people} WHERE id = ?", [])
        assert (cursor.rowcount, cursor.description) == (0, None)
        connection.rollback()
