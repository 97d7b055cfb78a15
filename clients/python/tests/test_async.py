"""The asynchronous client does what the blocking one does."""

from __future__ import annotations

import asyncio

import pytest

import rejoin
from conftest import make_people
from rejoin import errors

PERFORM = '<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">{}</perform>'


def test_sessions_transactions_cursors_and_streams(stage, kind, service, table):
    make_people(service, table)

    async def work():
        async with rejoin.connect_async(stage.service.url, kind) as client, client.session(timeout=60) as session:
            assert (await client.properties()).product in ("SQLite", "PostgreSQL", "MariaDB")
            assert session.timeout == 60
            await session.set("town", "Perth")
            assert await session.get("town") == "Perth"
            assert (await session.query(f"SELECT count(*) FROM {table}")).scalar() == 4
            async with session.transaction() as transaction:
                assert await transaction.update(f"DELETE FROM {table} WHERE id = ?", [4]) == 1
                with pytest.raises(ZeroDivisionError):
                    async with transaction.savepoint("here"):
                        await transaction.update(f"DELETE FROM {table}")
                        raise ZeroDivisionError
            with pytest.raises(ZeroDivisionError):
                async with session.transaction():
                    await session.update(f"DELETE FROM {table}")
                    raise ZeroDivisionError
            async with await session.cursor(f"SELECT id FROM {table} ORDER BY id") as cursor:
                assert [row async for row in cursor] == [(1,), (2,), (3,)]
            async with session.stream_query(f"SELECT id, name FROM {table} ORDER BY id") as rows:
                assert [row async for row in rows] == [(1, "Ada"), (2, "Bea"), (3, "<Grace>")]
            await session.keep("best", f"SELECT id FROM {table} WHERE id = ?", [1])
            assert (await session.take("best")).rows == [(1,)]
            assert (await session.attributes())["best"] == "rows"
            await session.rotate()
            await session.renew()
            await session.remove("best")
            assert (await session.status()).state == "AVAILABLE"
            assert await session.in_transaction(lambda tx: tx.update(f"UPDATE {table} SET town = 'Wick'")) == 3
            added = await session.update_many(f"INSERT INTO {table} (id, name) VALUES (?, ?)", [(7, "x"), (8, "y")])
            assert added == 2
            kept = await client.session()
            await kept.end()
            with pytest.raises(errors.SessionEnded):
                await kept.get("town")
            assert repr(kept) == f"<AsyncSession of {kind!r}, ended>"

    asyncio.run(work())


def test_requests_side_by_side_and_in_the_background(stage):
    async def work():
        async with rejoin.connect_async(stage.service.url, "sqlite") as client:
            results = await asyncio.gather(*(client.query("SELECT ?", [n]) for n in range(10)))
            assert [result.scalar() for result in results] == list(range(10))
            say = PERFORM.format('<session/><echo name="say"><text>hello</text><output name="said"/></echo>')
            pending = await client.submit(say)
            assert await pending.session_stream("said").read_all() == b"hello"
            assert (await pending.wait(60, poll=0.01)).request.status == "COMPLETED"
            nap = await client.submit(PERFORM.format('<session/><sleep name="nap" duration="PT5M"/>'))
            with pytest.raises(TimeoutError):
                await nap.wait(0.05, poll=0.01)
            assert await nap.cancel()
            with pytest.raises(errors.ActivityFailed):
                await client.query("SELECT * FROM nowhere")
            with pytest.raises(errors.ActivityFailed):
                async with client.stream_query("SELECT * FROM nowhere"):
                    pass

    asyncio.run(work())


def test_large_results_are_read_in_batches(stage):
    large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, 'é' AS t FROM n"

    async def work():
        async with rejoin.connect_async(stage.service.url, "sqlite") as client, client.stream_query(large) as rows:
            return sum([batch.num_rows async for batch in rows.batches()])

    assert asyncio.run(work()) == 100_000
