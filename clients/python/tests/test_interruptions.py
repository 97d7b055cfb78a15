"""Requests that are given up in the middle: cancelled tasks, Ctrl-C, blocks that raise, generators that nobody exhausts."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import suppress

import pytest

import rejoin
from conftest import make_people
from proxy import Break, Proxy
from rejoin import dbapi, errors
from rejoin._exchange import Answer
from test_protocol import BUSY, fault

SLOW = {
    "sqlite": "UPDATE {table} SET credit = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)",
    "postgres": "UPDATE {table} SET credit = length(pg_sleep(300)::text)",
    "mariadb": "UPDATE {table} SET credit = SLEEP(300)",
}


@pytest.fixture
def proxy(stage):
    made = Proxy(stage.service.port)
    yield made
    made.close()


class Interrupted:
    """Presses Ctrl-C when the answer to the next request that holds this text is there."""

    def __init__(self, client: rejoin.Session | rejoin.DataService, text: str) -> None:
        self._transport = client._transport
        self._text = text.encode()

    def __enter__(self) -> None:
        send = self._transport._send

        def interrupted(exchange):
            answer = send(exchange)
            if self._text in (exchange.content or b""):
                self._transport._send = send
                raise KeyboardInterrupt
            return answer

        self._transport._send = interrupted

    def __exit__(self, *error) -> None:
        assert "interrupted" not in repr(self._transport._send)


@pytest.mark.parametrize("step", ["<begin", "<sqlUpdateStatement", "<commit"])
def test_a_block_that_is_interrupted_leaves_no_transaction_behind(service, people, step):
    with service.session() as session:
        with Interrupted(session, step), pytest.raises(KeyboardInterrupt), session.transaction() as transaction:
            transaction.update(f"UPDATE {people} SET town = 'Wick'")
        # What comes next is no part of it.
        assert session.update(f"UPDATE {people} SET name = 'x' WHERE id = 1") == 1
        assert service.query(f"SELECT name FROM {people} WHERE id = 1").scalar() == "x"
        expected = 4 if step == "<commit" else 0
        assert service.query(f"SELECT count(*) FROM {people} WHERE town = 'Wick'").scalar() == expected


@pytest.mark.parametrize("step", ["<begin", "DELETE", "<commit", "<rollback"])
def test_a_driver_that_is_interrupted_says_so_until_it_is_rolled_back(stage, kind, service, people, step):
    with dbapi.connect(stage.service.url, kind) as connection:
        cursor = connection.cursor()
        with Interrupted(connection.session, step), pytest.raises(KeyboardInterrupt):
            cursor.execute(f"DELETE FROM {people} WHERE id = ?", (1,))
            if step == "<commit":
                connection.commit()
            connection.rollback()
        with pytest.raises(dbapi.OperationalError, match="roll it back"):
            cursor.execute("SELECT 1")
        with pytest.raises(dbapi.OperationalError, match="roll it back"):
            connection.commit()
        connection.rollback()
        assert cursor.execute(f"SELECT count(*) FROM {people}").fetchone() == (3 if step == "<commit" else 4,)
        cursor.execute(f"UPDATE {people} SET town = 'Wick'")
        connection.rollback()
    assert service.query(f"SELECT count(*) FROM {people} WHERE town = 'Wick'").scalar() == 0


def test_a_cancelled_task_rolls_its_transaction_back(stage, kind, service, people):
    slow = SLOW[kind].format(table=people)

    async def work() -> None:
        async with rejoin.connect_async(stage.service.url, kind) as client, client.session() as session:
            begun = asyncio.Event()

            async def transfer() -> None:
                async with session.transaction() as transaction:
                    await transaction.update(f"UPDATE {people} SET town = 'Wick'")
                    begun.set()
                    await transaction.update(slow)

            task = asyncio.create_task(transfer())
            await begun.wait()
            while (await session.status()).state != "BUSY":
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # The statement was stopped, and the session is free and outside of a transaction.
            assert await session.update(f"UPDATE {people} SET name = 'x' WHERE id = 1") == 1

    asyncio.run(work())
    assert service.query(f"SELECT count(*) FROM {people} WHERE town = 'Wick'").scalar() == 0
    assert service.query(f"SELECT count(*) FROM {people} WHERE name = 'x'").scalar() == 1


def test_a_statement_that_is_given_up_after_a_savepoint_is_stopped(stage, kind, service, people):
    slow = SLOW[kind].format(table=people)

    async def work() -> None:
        async with rejoin.connect_async(stage.service.url, kind, patience=2) as client, client.session() as session:
            begun = asyncio.Event()

            async def transfer() -> None:
                async with session.transaction() as transaction, transaction.savepoint("here"):
                    await transaction.update(f"UPDATE {people} SET town = 'Wick'")
                    begun.set()
                    await transaction.update(slow)

            task = asyncio.create_task(transfer())
            await begun.wait()
            while (await session.status()).state != "BUSY":
                await asyncio.sleep(0.01)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=10)
            # Nobody waited for the statement to come to its end.
            assert done == {task}
            assert task.cancelled()
            assert await session.update(f"UPDATE {people} SET name = 'x' WHERE id = 1") == 1

    asyncio.run(work())
    assert service.query(f"SELECT count(*) FROM {people} WHERE town = 'Wick'").scalar() == 0

    stopped = []
    with service.session() as session:
        session.cancel = lambda: stopped.append(True)
        with pytest.raises(KeyboardInterrupt), session.transaction() as transaction:
            with pytest.raises(KeyboardInterrupt), transaction.savepoint("here"):
                raise KeyboardInterrupt
            assert stopped == [True]
            with pytest.raises(ZeroDivisionError), transaction.savepoint("here"):
                raise ZeroDivisionError
            assert stopped == [True]
            raise KeyboardInterrupt
        assert stopped == [True] * 2


def test_a_begin_that_is_cancelled_leaves_no_transaction_behind(stage, kind, service, people):
    async def work() -> None:
        async with rejoin.connect_async(stage.service.url, kind) as client, client.session() as session:
            send = session._transport._send

            async def cancelled(exchange):
                await send(exchange)
                session._transport._send = send
                raise asyncio.CancelledError

            session._transport._send = cancelled
            with pytest.raises(asyncio.CancelledError):
                await session.transaction().begin()
            await session.update(f"UPDATE {people} SET name = 'x' WHERE id = 1")

    asyncio.run(work())
    assert service.query(f"SELECT count(*) FROM {people} WHERE name = 'x'").scalar() == 1


def test_streams_that_nobody_exhausts_free_their_session(stage, sqlite):
    large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000) SELECT i FROM n"
    with sqlite.session() as session:
        for _ in range(3):
            with session.stream_query(large) as rows:
                # Whoever has taken some goes on with the next.
                assert [next(iter(rows)), next(iter(rows))] == [(1,), (2,)]
                for row in rows:
                    assert row == (3,)
                    break
            with pytest.raises(ValueError, match="the stream was left"):
                list(rows)
            with session.stream_query("SELECT 1 UNION ALL SELECT 2") as rows:
                assert [next(iter(rows)), *rows] == [(1,), (2,)]
            with pytest.raises(ZeroDivisionError), session.stream_query(large) as rows:
                for _ in rows:
                    raise ZeroDivisionError
        assert session.query("SELECT 1").scalar() == 1

    async def work() -> None:
        async with rejoin.connect_async(stage.service.url, "sqlite") as client, client.session() as session:
            for _ in range(3):
                async with session.stream_query(large) as rows:
                    async for row in rows:
                        assert row == (1,)
                        break
            with pytest.raises(ValueError, match="the stream was left"):
                _ = [row async for row in rows]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1), session.stream_query(large) as rows:
                    async for _ in rows:
                        await asyncio.sleep(1)
            assert (await session.query("SELECT 1")).scalar() == 1

    asyncio.run(work())


def test_cursors_that_nobody_exhausts_are_closed(stage, kind, people):
    with dbapi.connect(stage.service.url, kind, fetch_rows=1) as connection:
        for _ in range(5):
            assert connection.cursor().execute(f"SELECT id FROM {people} ORDER BY id").fetchone() == (1,)
        gc.collect()
        # One that fails does not close them, the next one does.
        with pytest.raises(dbapi.ProgrammingError):
            connection.cursor().execute("SELECT * FROM nowhere")
        connection.cursor().execute(f"UPDATE {people} SET town = 'Wick'")
        assert "cursor" not in connection.session.status().attributes.values()
        connection.rollback()


def test_an_error_of_the_block_is_the_one_that_is_raised(proxy, kind, service, people):
    with rejoin.connect(proxy.url, kind, patience=0) as client, client.session() as session:
        with pytest.raises(ZeroDivisionError) as failed, session.transaction() as transaction:
            transaction.update(f"UPDATE {people} SET town = 'Wick'")
            proxy.breaks(Break.BEFORE_REQUEST)
            raise ZeroDivisionError
        assert "could not be rolled back" in failed.value.__notes__[0]
        session.transaction()._leave()
        with pytest.raises(ZeroDivisionError) as failed, session.transaction() as transaction, transaction.savepoint("here"):
            proxy.breaks(Break.BEFORE_REQUEST)
            raise ZeroDivisionError
        assert "could not be gone back to" in failed.value.__notes__[0]
        with pytest.raises(rejoin.LostAnswer), session.transaction() as transaction:
            transaction.update(f"UPDATE {people} SET town = 'Wick'")
            proxy.breaks(Break.BEFORE_REQUEST)
        # The commit never came; nothing is left open.
        session.update(f"UPDATE {people} SET name = 'x' WHERE id = 1")
    assert service.query(f"SELECT count(*) FROM {people} WHERE town = 'Wick'").scalar() == 0
    assert service.query(f"SELECT count(*) FROM {people} WHERE name = 'x'").scalar() == 1


def turn_away(transport):
    """Has the next request turned away."""
    send = transport._send

    def busy(exchange):
        transport._send = send
        return Answer(503, {}, fault("ServerBusy", 503, **BUSY).content)

    async def busy_asynchronously(exchange):
        return busy(exchange)

    transport._send = busy_asynchronously if asyncio.iscoroutinefunction(send) else busy


@pytest.mark.parametrize("step", ["commit", "rollback"])
@pytest.mark.parametrize("how", ["refused", "lost", "done"])
@pytest.mark.parametrize("told", [True, False], ids=["raised", "kept"])
def test_a_block_that_can_not_end_its_transaction_leaves_none_behind(proxy, kind, service, people, step, how, told):
    def fails(session):
        if how == "refused":
            turn_away(session._transport)
        else:
            proxy.breaks(Break.AFTER_ANSWER if how == "done" else Break.BEFORE_REQUEST)

    # What went wrong leaves the block, or stays in it.
    outside, inside = (pytest.raises, suppress) if told else (suppress, pytest.raises)

    with rejoin.connect(proxy.url, kind, patience=0) as client, client.session() as session:
        with outside(errors.RejoinError), session.transaction() as transaction:
            transaction.update(f"UPDATE {people} SET town = 'Wick'")
            fails(session)
            with inside(*() if told else (errors.RejoinError,)):
                getattr(transaction, step)()
        # What comes next is no part of it.
        session.update(f"UPDATE {people} SET name = 'x' WHERE id = 1")

    async def work() -> None:
        async with rejoin.connect_async(proxy.url, kind, patience=0) as client, client.session() as session:
            with outside(errors.RejoinError):
                async with session.transaction() as transaction:
                    await transaction.update(f"UPDATE {people} SET town = 'Wick'")
                    fails(session)
                    with inside(*() if told else (errors.RejoinError,)):
                        await getattr(transaction, step)()
            await session.update(f"UPDATE {people} SET name = 'x' WHERE id = 2")

    asyncio.run(work())
    assert service.query(f"SELECT count(*) FROM {people} WHERE name = 'x'").scalar() == 2
    expected = 4 if (step, how) == ("commit", "done") else 0
    assert service.query(f"SELECT count(*) FROM {people} WHERE town = 'Wick'").scalar() == expected


def test_a_block_that_raises_ends_its_session(service):
    with pytest.raises(ZeroDivisionError), service.session() as session:
        kept = session.id
        raise ZeroDivisionError
    with pytest.raises(errors.SessionEnded):
        service.join(kept).get("visits")
    session.end()
    service.join(kept).end()


def test_threads_share_a_connection_of_the_driver(stage, kind, people):
    with dbapi.connect(stage.service.url, kind, fetch_rows=1) as connection:
        seen: list[object] = []

        def work(number: int) -> None:
            cursor = connection.cursor()
            cursor.execute(f"UPDATE {people} SET credit = ? WHERE id = ?", (number, number))
            seen.append((cursor.rowcount, cursor.execute(f"SELECT id FROM {people} ORDER BY id").fetchall()))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert seen == [(1, [(1,), (2,), (3,), (4,)])] * 4
        make = connection.cursor().execute(f"SELECT sum(credit) FROM {people}").fetchone()
        assert float(make[0]) == 10


def test_a_session_is_one_for_all_threads_and_tasks(stage, service, table):
    make_people(service, table)

    async def work() -> int:
        async with rejoin.connect_async(service.url) as client, client.session() as session:
            await asyncio.gather(*(session.increment("n") for _ in range(8)))
            return int(await session.get("n"))

    assert asyncio.run(work()) == 8
