"""Connections that break before, in and after the answer: every effect exactly once."""

from __future__ import annotations

import asyncio
import itertools

import pytest

import rejoin
from conftest import make_people
from proxy import Break, Proxy
from rejoin import dbapi, errors
from rejoin.activities import SqlUpdateStatement

MOMENTS = list(Break)


@pytest.fixture
def proxy(stage):
    made = Proxy(stage.service.port)
    yield made
    made.close()


@pytest.fixture
def client(proxy, kind):
    with rejoin.connect(proxy.url, kind) as service:
        yield service


@pytest.fixture(params=MOMENTS, ids=[moment.name.lower() for moment in MOMENTS])
def moment(request):
    return request.param


def test_every_effect_happens_exactly_once(proxy, client, moment, table):
    make_people(client, table)
    raise_all = f"UPDATE {table} SET credit = credit + 1 WHERE credit IS NOT NULL"

    proxy.breaks(moment)
    with client.session() as session:
        proxy.breaks(moment)
        assert session.increment("visits") == 1
        assert session.increment("visits") == 2
        proxy.breaks(moment)
        assert session.update(raise_all) == 3
        proxy.breaks(moment)
        assert session.query(f"SELECT count(*) FROM {table}").scalar() == 4

        for broken in range(3):
            moments = [None, None, None]
            moments[broken] = moment
            for each in moments[:1]:
                proxy.breaks(*filter(None, [each]))
            transaction = session.transaction().begin()
            proxy.breaks(*filter(None, [moments[1]]))
            assert transaction.update(raise_all) == 3
            proxy.breaks(*filter(None, [moments[2]]))
            transaction.commit()
        assert session.get("visits") == 2
        kept = session.id
        proxy.breaks(moment)
    assert proxy.left == 0
    credits_ = [row[0] for row in client.query(f"SELECT credit FROM {table} ORDER BY id").rows]
    assert [float(each) for each in credits_[:3]] == [14.5, 4.0, 1.0]
    with pytest.raises(errors.SessionEnded):
        client.join(kept).get("visits")


def test_a_cursor_gives_every_row_once(proxy, client, moment, table):
    make_people(client, table)
    with client.session() as session:
        proxy.breaks(moment)
        with session.cursor(f"SELECT id FROM {table} ORDER BY id") as cursor:
            pages = []
            while not cursor.at_end:
                proxy.breaks(moment)
                pages += cursor.fetch(2).rows
    assert pages == [(1,), (2,), (3,), (4,)]


def test_the_driver_does_nothing_twice(proxy, kind, moment, client, table):
    make_people(client, table)
    proxy.breaks(moment)
    with dbapi.connect(proxy.url, kind) as connection:
        cursor = connection.cursor()
        proxy.breaks(moment)
        cursor.execute(f"INSERT INTO {table} (id, name) VALUES (?, ?)", (10, "Jo"))
        proxy.breaks(moment)
        cursor.executemany(f"INSERT INTO {table} (id, name) VALUES (?, ?)", [(n, "many") for n in range(20, 30)])
        proxy.breaks(moment)
        connection.commit()
        proxy.breaks(moment)
        cursor.execute(f"DELETE FROM {table} WHERE id = ? RETURNING id", (10,))
        assert cursor.fetchall() == [(10,)]
        proxy.breaks(moment)
        connection.rollback()
    found = client.query(f"SELECT count(*), count(credit) FROM {table}").rows
    assert found == [(15, 3)]


def test_ids_are_rotated_and_requests_submitted_exactly_once(proxy, client, moment, table):
    client.update(f"CREATE TABLE {table} (n INTEGER)")
    with client.session() as session:
        old = session.id
        proxy.breaks(moment)
        session.rotate()
        assert session.id != old
        proxy.breaks(moment)
        pending = session.submit(SqlUpdateStatement(expression=f"INSERT INTO {table} VALUES (1)"))
        pending.wait(60, poll=0.01)
        assert session.query(f"SELECT count(*) FROM {table}").scalar() == 1
        proxy.breaks(moment)
        assert session.in_transaction(lambda tx: tx.update_many(f"INSERT INTO {table} VALUES (?)", [(2,), (3,)])) == 2
        proxy.breaks(moment)
        session.keep("rows", f"SELECT n FROM {table} ORDER BY n")
        proxy.breaks(moment)
        assert session.take("rows").rows == [(1,), (2,), (3,)]
    assert proxy.left == 0


def test_rows_that_are_too_large_to_be_told_again_are_an_error_of_the_driver(proxy, stage, client, kind, table):
    client.update(f"CREATE TABLE {table} (id INTEGER, note {'LONGTEXT' if kind == 'mariadb' else 'TEXT'})")
    with dbapi.connect(proxy.url, kind) as connection:
        cursor = connection.cursor()
        proxy.breaks(Break.AFTER_ANSWER)
        with pytest.raises(dbapi.OperationalError) as lost:
            cursor.execute(f"INSERT INTO {table} VALUES (?, ?) RETURNING note", (1, "x" * 400_000))
        assert isinstance(lost.value.fault, errors.ResultsNotKept)
        # It was done, once, in the transaction that goes on.
        assert cursor.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
        connection.rollback()
        assert cursor.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_two_breaks_in_a_row_are_survived(proxy, stage):
    with rejoin.connect(proxy.url, "sqlite") as service, service.session() as session:
        for first, second in itertools.product(MOMENTS, MOMENTS):
            before = session.increment("visits")
            proxy.breaks(first, second)
            assert session.increment("visits") == before + 1
    assert proxy.left == 0


def test_a_request_that_is_never_answered_says_whether_it_may_have_run(proxy, stage):
    with rejoin.connect(proxy.url, "sqlite", patience=0) as service, service.session() as session:
        proxy.breaks(Break.AFTER_ANSWER)
        with pytest.raises(rejoin.LostAnswer) as lost:
            session.increment("visits")
        assert lost.value.may_have_run
        assert session.get("visits") == 1
        assert session.id not in str(lost.value)
    with rejoin.connect("http://127.0.0.1:9", "sqlite", patience=0) as service:
        with pytest.raises(rejoin.LostAnswer) as lost:
            service.update("DELETE FROM nothing")
        assert not lost.value.may_have_run


def test_a_result_that_breaks_off_is_never_taken_for_whole(proxy, stage):
    large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i FROM n"
    with rejoin.connect(proxy.url, "sqlite") as service:
        for moment in (Break.IN_ANSWER, Break.LATE):
            proxy.breaks(moment)
            # Collected, it is asked for again.
            assert len(service.query(large)) == 200_000
            proxy.breaks(moment)
            with pytest.raises(errors.TransferBroken), service.stream_query(large) as rows:
                for _ in rows:
                    pass


def test_a_query_that_fails_midway_says_why(stage):
    wrong = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        "SELECT i, CASE WHEN i = 90000 THEN json('{') END FROM n"
    )
    with rejoin.connect(stage.service.url, "sqlite") as service:
        with pytest.raises(errors.ActivityFailed, match="malformed JSON"):
            service.query(wrong)
        with pytest.raises(errors.TransferBroken), service.stream_query(wrong) as rows:
            list(rows)


def test_the_asynchronous_client_does_nothing_twice_either(proxy, stage):
    async def visit():
        async with rejoin.connect_async(proxy.url, "sqlite") as service, service.session() as session:
            for moment in MOMENTS:
                before = await session.increment("visits")
                proxy.breaks(moment)
                assert await session.increment("visits") == before + 1
            assert await session.get("visits") == 2 * len(MOMENTS)

    asyncio.run(visit())


def test_a_driver_that_does_not_know_says_so_until_it_is_rolled_back(proxy, kind, client, table):
    make_people(client, table)
    with dbapi.connect(proxy.url, kind, patience=0) as connection:
        cursor = connection.cursor()
        for moment in (Break.AFTER_ANSWER, Break.IN_REQUEST):
            proxy.breaks(moment)
            with pytest.raises(dbapi.OperationalError):
                cursor.execute(f"DELETE FROM {table} WHERE id = ?", (1,))
            with pytest.raises(dbapi.OperationalError, match="roll it back"):
                cursor.execute(f"SELECT count(*) FROM {table}")
            with pytest.raises(dbapi.OperationalError, match="roll it back"):
                connection.commit()
            connection.rollback()
            assert cursor.execute(f"SELECT count(*) FROM {table}").fetchone() == (4,)
            connection.rollback()
