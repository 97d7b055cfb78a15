"""Asynchronous requests, and the streams of sessions."""

from __future__ import annotations

import threading

import pytest

import rejoin
from rejoin import errors

PERFORM = '<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">{}</perform>'
WAIT = PERFORM.format('<session/><sleep name="nap" duration="PT5M"/>')


def test_a_submitted_request_tells_how_it_ends(sqlite):
    with sqlite.session() as session:
        pending = session.submit(PERFORM.format('<echo name="say"><text>hello</text><output name="said"/></echo>'))
        assert pending.session_stream("said").read_all() == b"hello"
        status = pending.wait(60, poll=0.01)
        assert status.request.status == "COMPLETED"
        assert "COMPLETED" in repr(pending)
        failing = session.submit(PERFORM.format('<refuse name="no"><message>not today</message></refuse>'))
        with pytest.raises(errors.Forbidden, match="not today"):
            failing.wait(60, poll=0.01)


def test_a_submitted_request_is_found_under_the_new_id_of_its_session(sqlite):
    with sqlite.session() as session:
        pending = session.submit(PERFORM.format('<echo name="say"><text>hello</text><output name="said"/></echo>'))
        assert pending.session_stream("said").read_all() == b"hello"
        pending.wait(60, poll=0.01)
        for _ in range(2):
            session.rotate()
        assert pending.status().request.status == "COMPLETED"
    with pytest.raises(errors.SessionEnded):
        pending.status()


def test_a_submitted_request_can_be_stopped_and_waited_for_in_vain(sqlite):
    pending = sqlite.submit(WAIT)
    with pytest.raises(TimeoutError):
        pending.wait(0.05, poll=0.01)
    assert pending.status().state == "BUSY"
    with pytest.raises(errors.SessionInUse), rejoin.connect(sqlite.url, patience=0) as other:
        other.join(pending._submission.state.session_id).query("SELECT 1", wait=0)
    assert pending.cancel()
    with pytest.raises(errors.RejoinError):
        pending.wait(60, poll=0.01)


def test_rows_are_loaded_through_a_session_stream(sqlite, table):
    sqlite.update(f"CREATE TABLE {table} (id INTEGER, name TEXT)")
    load = PERFORM.format(
        '<session/><inputStream name="upload"><toLocal name="csv"/></inputStream>'
        '<csvToRows name="read"><csvInput from="csv"/><rows name="rows"/><includeHeader value="true"/></csvToRows>'
        f'<sqlBulkLoadRowSet name="load"><rows from="rows"/><loadIntoTable tableName="{table}"/>'
        '<resultStream name="loaded"/></sqlBulkLoadRowSet>'
    )
    pending = sqlite.submit(load)
    pending.session_stream("upload").write_all(["id,name\n", "1,Ada\n2,", "Bea\n"])
    assert pending.session_stream("loaded").read() == b"<updateCount>2</updateCount>"
    pending.wait(60, poll=0.01)
    assert sqlite.query(f"SELECT * FROM {table}").rows == [(1, "Ada"), (2, "Bea")]


def test_a_slow_reader_slows_the_service_down(sqlite):
    large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000) SELECT i FROM n"
    with sqlite.session() as session:
        with session.stream_query(large) as rows:
            first = next(iter(rows))
            # It would be done long since if nobody held it up: it still has the session.
            assert session.status().state == "BUSY"
        assert first == (1,)
        # Whoever leaves stops the request, and the session is free again.
        assert session.query("SELECT 1").scalar() == 1


def test_threads_share_a_service(sqlite):
    with sqlite.session() as session:
        threads = [threading.Thread(target=session.increment, args=("n",)) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert session.get("n") == 8
