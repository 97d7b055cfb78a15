"""Queries, updates and sessions, against each database."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

import rejoin
from rejoin import errors


def test_the_first_program_of_the_guide_runs(stage, kind, service, people):
    with rejoin.connect(stage.service.url, kind) as client, client.session() as session:
        frame = session.query(f"SELECT id, name FROM {people} WHERE town = ? ORDER BY id", ["Perth"]).to_pandas()
    assert frame["name"].tolist() == ["Ada", "<Grace>"]
    assert frame["id"].tolist() == [1, 3]


def test_values_of_every_type_come_back_as_they_went(service, kind, table):
    types = {
        "sqlite": "i INTEGER, r REAL, t TEXT, b BLOB, n INTEGER",
        "postgres": "i bigint, r double precision, t text, b bytea, n integer",
        "mariadb": "i BIGINT, r DOUBLE, t TEXT, b LONGBLOB, n INTEGER",
    }[kind]
    service.update(f"CREATE TABLE {table} ({types})")
    row = (2**62, 0.1, "a <b> & 'c' \r\n\t ]]> ✓ 𝄞", bytes(range(256)), None)
    assert service.update(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", row) == 1
    assert service.query(f"SELECT * FROM {table}").rows == [row]


def test_decimals_dates_and_times_are_exact(service, kind, table):
    if kind == "sqlite":
        pytest.skip("SQLite has none of these types")
    zoned = "timestamptz" if kind == "postgres" else "TIMESTAMP(6) NULL"
    plain = "timestamp" if kind == "postgres" else "DATETIME(6)"
    clock = "time" if kind == "postgres" else "TIME(6)"
    service.update(f"CREATE TABLE {table} (d NUMERIC(20,4), day DATE, at {clock}, stamp {plain}, moment {zoned})")
    moment = dt.datetime(2026, 11, 22, 12, 30, 0, 250000, tzinfo=dt.UTC)
    row = (
        Decimal("1234567890123456.7891"),
        dt.date(1969, 7, 20),
        dt.time(8, 0, 0, 500000),
        dt.datetime(2026, 3, 1, 0, 0, 1),
        moment,
    )
    given = row if kind == "postgres" else (*row[:4], moment.replace(tzinfo=None))
    service.update(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", given)
    result = service.query(f"SELECT * FROM {table}")
    assert result.rows == [row]
    assert [column.type for column in result.columns] == ["decimal(20,4)", "date", "time", "timestamp", "timestamptz"]
    # What is read without pyarrow is what pyarrow reads.
    assert tuple(result.to_arrow().to_pylist()[0].values()) == row


def test_many_rows_of_mixed_types_go_in_one_request(service, table):
    service.update(f"CREATE TABLE {table} (id INTEGER, note VARCHAR(40), ratio DOUBLE PRECISION)")
    rows = [(1, "\\N", 0.5), (2, None, None), (None, "", 3), (4, "x", 1.25)]
    assert service.update_many(f"INSERT INTO {table} VALUES (?, ?, ?)", rows) == 4
    assert service.query(f"SELECT * FROM {table} ORDER BY id").rows[-3:] != []
    assert sorted(service.query(f"SELECT * FROM {table}").rows, key=repr) == sorted(
        [(1, "\\N", 0.5), (2, None, None), (None, "", 3.0), (4, "x", 1.25)], key=repr
    )


def test_what_a_session_keeps_is_there_for_the_next_request(stage, kind, service, people):
    with service.session(timeout=90) as session:
        assert session.timeout == 90
        assert [session.increment("visits"), session.increment("visits", 4)] == [1, 5]
        session.set("town", "Oban & Wick")
        assert (session.get("visits"), session.get("town")) == (5, "Oban & Wick")
        session.keep("best", f"SELECT name FROM {people} WHERE id < ?", [3])
        with rejoin.connect(stage.service.url, kind) as elsewhere:
            assert elsewhere.join(session.id).take("best").rows == [("Ada",), ("Bea",)]
        assert session.attributes() == {"best": "rows", "town": "text", "visits": "integer"}
        assert session.status().state == "AVAILABLE"
        session.remove("town")
        with pytest.raises(errors.ActivityFailed) as failed:
            session.get("town")
        assert failed.value.activity_code == "AttributeNotFound"
        old = session.id
        session.rotate()
        assert session.id != old
        assert session.get("visits") == 5
        kept = session.id
    with pytest.raises(errors.SessionEnded) as ended:
        service.join(kept).get("visits")
    assert (ended.value.reason, ended.value.recreate_session) == ("terminated", True)


def test_a_transaction_holds_or_is_taken_back_as_a_whole(service, people):
    with service.session() as session:
        with session.transaction() as transaction:
            transaction.update(f"UPDATE {people} SET town = 'Wick' WHERE id = 1")
            # Nobody else sees it yet (MariaDB, PostgreSQL and SQLite read what was committed).
            assert service.query(f"SELECT town FROM {people} WHERE id = 1").scalar() == "Perth"
            assert transaction.query(f"SELECT town FROM {people} WHERE id = 1").scalar() == "Wick"
            with pytest.raises(ZeroDivisionError), transaction.savepoint("here"):
                transaction.update(f"DELETE FROM {people}")
                raise ZeroDivisionError
        assert service.query(f"SELECT town FROM {people} WHERE id = 1").scalar() == "Wick"
        with pytest.raises(ZeroDivisionError), session.transaction() as transaction:
            transaction.update(f"DELETE FROM {people}")
            raise ZeroDivisionError
        assert transaction.state().state == "rolledBack"
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == 4


def test_cursors_give_page_after_page(service, people):
    with service.session() as session:
        with session.cursor(f"SELECT id FROM {people} ORDER BY id") as cursor:
            assert cursor.fetch(3).rows == [(1,), (2,), (3,)]
            assert not cursor.at_end
            assert cursor.fetch(3).rows == [(4,)]
            assert cursor.at_end
        with session.cursor(f"SELECT id FROM {people} ORDER BY id", name="other") as cursor:
            assert next(iter(cursor)) == (1,)


def test_large_results_are_read_as_they_come(sqlite):
    count = 200_000
    sql = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i, 'row ' || i AS t FROM n"
    with sqlite.stream_query(sql) as rows:
        assert [column.name for column in rows.columns] == ["i", "t"]
        assert next(iter(rows)) == (1, "row 1")
    with sqlite.stream_query(sql) as rows:
        assert sum(batch.num_rows for batch in rows.batches()) == count
    assert len(sqlite.query(sql)) == count


def test_frames_of_pandas_and_polars_have_the_columns(sqlite):
    result = sqlite.query("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL")
    assert result.to_polars().rows() == [(1, "x"), (2, None)]
    assert result.to_pandas()["a"].sum() == 3
    assert result.dicts() == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert result[1] == (2, None)
