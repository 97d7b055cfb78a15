"""The DB-API driver beyond what the compliance suite looks at."""

from __future__ import annotations

import datetime as dt
import decimal
import threading

import httpx
import pytest

import rejoin
from conftest import make_people
from proxy import Break, Proxy
from rejoin import dbapi, errors
from rejoin.dbapi._statement import examine
from test_protocol import BUSY, fault


@pytest.fixture
def connection(stage, kind):
    made = dbapi.connect(stage.service.url, kind, fetch_rows=3)
    yield made
    if made._session is not None:
        made.close()


def execute(connection, sql, parameters=()):
    return connection.cursor().execute(sql, parameters)


def test_nothing_holds_before_the_commit(service, connection, people):
    assert execute(connection, f"DELETE FROM {people} WHERE id = ?", (1,)).rowcount == 1
    assert execute(connection, f"SELECT count(*) FROM {people}").fetchone() == (3,)
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == 4
    connection.rollback()
    assert execute(connection, f"SELECT count(*) FROM {people}").fetchone() == (4,)
    connection.rollback()
    execute(connection, f"DELETE FROM {people} WHERE id = ?", (1,))
    connection.commit()
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == 3
    execute(connection, f"DELETE FROM {people}")
    connection.close()
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == 3


def test_rows_are_fetched_in_blocks(connection, people):
    cursor = execute(connection, f"SELECT id, name, credit FROM {people} ORDER BY id")
    assert [each[0] for each in cursor.description] == ["id", "name", "credit"]
    assert cursor.description[0][1] == dbapi.NUMBER
    assert cursor.description[1][1] == dbapi.STRING
    assert cursor.description[1][1] != dbapi.NUMBER
    # A block of three is here, and nobody knows how many follow.
    assert cursor.rowcount == -1
    assert [row[0] for row in cursor.fetchmany(2)] == [1, 2]
    assert [row[0] for row in cursor] == [3, 4]
    assert cursor.rowcount == 4
    # One that is not read to its end is closed when the next statement comes.
    cursor.execute(f"SELECT id FROM {people} ORDER BY id")
    assert cursor.execute(f"SELECT id FROM {people} WHERE id > 5").fetchall() == []
    assert "cursor" not in " ".join(connection.session.status().attributes.values())


def test_rows_of_a_query_end_with_its_transaction(connection, people):
    cursor = execute(connection, f"SELECT id FROM {people} ORDER BY id")
    connection.commit()
    # Those that are here are given.
    assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
    with pytest.raises(dbapi.ProgrammingError, match="ended with its transaction"):
        cursor.fetchone()


def test_many_rows_of_parameters_go_at_once(connection, kind, table):
    execute(connection, f"CREATE TABLE {table} (id INTEGER, name VARCHAR(20), credit NUMERIC(9,2))")
    cursor = connection.cursor()
    rows = [(n, f"name {n}" if n % 3 else None, decimal.Decimal(n) / 4) for n in range(1000)]
    before = connection.requests
    cursor.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
    assert (cursor.rowcount, connection.requests - before) == (1000, 1)
    connection.commit()
    found = execute(connection, f"SELECT count(*), count(name), sum(credit) FROM {table}").fetchone()
    assert (found[0], found[1], decimal.Decimal(str(found[2]))) == (1000, 666, decimal.Decimal("124875"))
    with pytest.raises(dbapi.ProgrammingError, match="statements that write"):
        cursor.executemany("SELECT ?", [(1,)])
    with pytest.raises(dbapi.DataError, match="differ in length"):
        cursor.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", [(1, "a", 2), (1, "a")])


def test_the_last_row_has_its_number(connection, kind, table):
    key = {"sqlite": "INTEGER PRIMARY KEY", "postgres": "SERIAL PRIMARY KEY", "mariadb": "INTEGER PRIMARY KEY AUTO_INCREMENT"}[kind]
    execute(connection, f"CREATE TABLE {table} (id {key}, name VARCHAR(20))")
    connection.commit()
    cursor = connection.cursor()
    for number in (1, 2, 3):
        cursor.execute(f"INSERT INTO {table} (name) VALUES (?)", (f"n{number}",))
        assert cursor.lastrowid == number
    cursor.execute(f"UPDATE {table} SET name = 'x'")
    assert (cursor.rowcount, cursor.lastrowid) == (3, None)


def test_exceptions_have_the_classes_of_pep_249(connection, kind, people):
    def failing(sql, parameters=()):
        with pytest.raises(dbapi.Error) as failed:
            execute(connection, sql, parameters)
        assert isinstance(failed.value.fault, errors.RejoinError)
        return type(failed.value)

    assert failing(f"INSERT INTO {people} (id, name) VALUES (1, 'Again')") is dbapi.IntegrityError
    assert failing(f"INSERT INTO {people} (id, name) VALUES (9, NULL)") is dbapi.IntegrityError
    assert failing("SELECT * FROM nowhere") is dbapi.ProgrammingError
    assert failing("SELEC 1") is dbapi.ProgrammingError
    assert failing(f"UPDATE {people} SET name = ?") is dbapi.ProgrammingError
    if kind == "postgres":
        assert failing("SELECT 1 / 0") is dbapi.DataError
        assert failing("SELECT CAST('x' AS integer)") is dbapi.DataError
    # The transaction goes on: what failed took back itself alone.
    assert execute(connection, f"SELECT count(*) FROM {people}").fetchone() == (4,)
    with pytest.raises(dbapi.ProgrammingError, match="a sequence"):
        execute(connection, "SELECT ?", {"a": 1})
    connection.session.end()
    with pytest.raises(dbapi.OperationalError):
        execute(connection, "SELECT 1")


def test_the_loser_of_a_conflict_is_told_so(stage, connection, kind, people):
    if kind != "postgres":
        pytest.skip("shown where isolation is by versions of rows")
    with dbapi.connect(stage.service.url, kind, isolation="serializable") as other:
        connection.isolation = "serializable"
        for each in (connection, other):
            execute(each, f"SELECT sum(credit) FROM {people}").fetchall()
        execute(connection, f"UPDATE {people} SET credit = 1 WHERE id = 1")
        execute(other, f"UPDATE {people} SET credit = 1 WHERE id = 2")
        connection.commit()
        with pytest.raises(dbapi.OperationalError) as lost:
            other.commit()
        assert isinstance(lost.value.fault, errors.TransactionConflict)
        other.rollback()


def test_statements_hold_at_once_with_autocommit(stage, kind, service, people):
    with dbapi.connect(stage.service.url, kind, autocommit=True) as connection:
        cursor = execute(connection, f"DELETE FROM {people} WHERE id = 4")
        assert cursor.rowcount == 1
        assert service.query(f"SELECT count(*) FROM {people}").scalar() == 3
        assert cursor.execute(f"SELECT id FROM {people} ORDER BY id").fetchall() == [(1,), (2,), (3,)]
        assert cursor.execute(f"INSERT INTO {people} (id, name) VALUES (9, 'x')").lastrowid is None
        assert cursor.execute(f"DELETE FROM {people} WHERE id = 9").rowcount == 1
        connection.autocommit = False
        cursor.execute(f"DELETE FROM {people}")
        connection.rollback()
        assert service.query(f"SELECT count(*) FROM {people}").scalar() == 3


@pytest.mark.parametrize("autocommit", [True, False])
def test_cursors_that_the_service_has_closed_are_in_nobodys_way(stage, kind, service, people, autocommit):
    with dbapi.connect(stage.service.url, kind, autocommit=autocommit, fetch_rows=1) as connection:
        cursors = [execute(connection, f"SELECT id FROM {people} ORDER BY id") for _ in range(4)]
        closed = "".join(f'<closeCursor name="c{n}"><cursor name="cursor{n}"/></closeCursor>' for n in (2, 3))
        connection.session.perform(
            f'<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types"><sequence>{closed}</sequence></perform>'
        )
        for cursor in cursors:
            cursor.close()
        assert execute(connection, f"DELETE FROM {people} WHERE id = ?", (4,)).rowcount == 1
        assert "cursor" not in connection.session.status().attributes.values()
        assert execute(connection, f"SELECT count(*) FROM {people}").fetchone() == (3,)
        connection.commit()
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == 3


def test_times_are_what_the_database_reads(connection, kind, table):
    if kind == "sqlite":
        pytest.skip("SQLite has no types of times")
    zoned = "timestamptz" if kind == "postgres" else "TIMESTAMP NULL"
    span = "interval" if kind == "postgres" else "TIME"
    execute(connection, f"CREATE TABLE {table} (moment {zoned}, span {span})")
    moment = dt.datetime(2026, 11, 22, 14, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    cursor = connection.cursor()
    cursor.execute(f"INSERT INTO {table} VALUES (?, ?)", (moment, dt.timedelta(hours=3, seconds=1)))
    assert cursor.execute(f"SELECT moment FROM {table}").fetchone() == (moment,)
    expected = dt.timedelta(hours=3, seconds=1) if kind == "postgres" else dt.time(3, 0, 1)
    assert cursor.execute(f"SELECT span FROM {table}").fetchone() == (expected,)


def test_what_a_closed_thing_is_asked_is_refused(connection):
    cursor = connection.cursor()
    cursor.close()
    with pytest.raises(dbapi.InterfaceError, match="the cursor is closed"):
        cursor.execute("SELECT 1")
    other = connection.cursor()
    connection.close()
    with pytest.raises(dbapi.InterfaceError, match="the connection is closed"):
        other.execute("SELECT 1")
    with pytest.raises(dbapi.OperationalError):
        dbapi.connect("http://127.0.0.1:9", "nowhere", patience=0)


def test_a_block_commits_or_rolls_back(stage, kind, service, table):
    make_people(service, table)
    with dbapi.connect(stage.service.url, kind) as connection:
        execute(connection, f"DELETE FROM {table} WHERE id = 1")
    with pytest.raises(ZeroDivisionError), dbapi.connect(stage.service.url, kind) as connection:
        execute(connection, f"DELETE FROM {table}")
        raise ZeroDivisionError
    assert service.query(f"SELECT count(*) FROM {table}").scalar() == 3


def test_a_transaction_may_begin_with_a_savepoint(connection, people):
    connection.savepoint("here")
    execute(connection, f"DELETE FROM {people}")
    connection.rollback_to("here")
    connection.release("here")
    assert execute(connection, f"SELECT count(*) FROM {people}").fetchone() == (4,)


def test_statements_that_write_give_rows_themselves(connection, service, kind, people):
    cursor = execute(connection, f"INSERT INTO {people} (id, name) VALUES (?, ?), (8, 'returning') RETURNING id, name", (7, "Jo"))
    assert [each[0] for each in cursor.description] == ["id", "name"]
    assert (cursor.rowcount, cursor.fetchall()) == (2, [(7, "Jo"), (8, "returning")])
    assert cursor.execute(f"DELETE FROM {people} WHERE id > 99 RETURNING id").fetchall() == []
    assert cursor.rowcount == 0
    assert cursor.execute(f"DELETE FROM {people} WHERE id IN (1, 2) RETURNING id").fetchone() == (1,)
    if kind != "mariadb":
        cursor.execute(f"UPDATE {people} SET credit = 7 WHERE id = 7 RETURNING credit")
        assert (cursor.rowcount, cursor.fetchall()) == (1, [(decimal.Decimal(7),)])
        cursor.execute(f"WITH gone AS (SELECT 3 AS id) DELETE FROM {people} WHERE id IN (SELECT id FROM gone) RETURNING name")
        assert cursor.fetchall() == [("<Grace>",)]
    cursor.executemany(f"INSERT INTO {people} (id, name) VALUES (?, ?) RETURNING id", [(20, "a"), (21, "b")])
    assert (cursor.rowcount, cursor.description) == (2, None)
    # Nothing of it holds before the commit.
    connection.rollback()
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == 4
    with service.session() as session:
        rows = session.update_returning(f"INSERT INTO {people} (id, name) VALUES (?, ?) RETURNING name", [9, "Zed"])
        assert rows.rows == [("Zed",)]
        with session.transaction() as transaction:
            assert transaction.update_returning(f"DELETE FROM {people} WHERE id = 9 RETURNING id").scalar() == 9


def test_rows_that_are_locked_stay_so(stage, connection, kind, people):
    if kind == "sqlite":
        pytest.skip("SQLite locks no rows")
    cursor = execute(connection, f"SELECT id, name FROM {people} WHERE id < ? ORDER BY id FOR UPDATE", (3,))
    assert (cursor.rowcount, cursor.fetchall()) == (2, [(1, "Ada"), (2, "Bea")])
    with dbapi.connect(stage.service.url, kind, patience=0) as other:
        with pytest.raises(dbapi.OperationalError):
            execute(other, f"SELECT id FROM {people} WHERE id = 1 FOR UPDATE NOWAIT")
        other.rollback()
        assert execute(other, f"SELECT id FROM {people} WHERE id = 4 FOR UPDATE NOWAIT").fetchone() == (4,)
        other.rollback()
        connection.rollback()
        assert execute(other, f"SELECT id FROM {people} WHERE id = 1 FOR UPDATE NOWAIT").fetchone() == (1,)


def test_statements_are_known_by_their_words():
    def known(sql, **options):
        found = examine(sql, **options)
        return "query" if found.gives_rows else "rows" if found.returns else "update"

    for sql in (
        "(SELECT 1) UNION (SELECT 2)",
        "/* INSERT */ -- DELETE\nSELECT 'RETURNING'",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT replace(a, 'FOR UPDATE', '') FROM t",
        "SHOW TABLES",
        "VALUES (1)",
        "SELECT '\\', 'FOR UPDATE'",
    ):
        assert known(sql) == "query", sql
    for sql in (
        "DELETE FROM t RETURNING a",
        "WITH a AS (DELETE FROM t RETURNING b) SELECT * FROM a",
        "SELECT a FROM t FOR NO KEY UPDATE",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a RETURNING b",
        "TABLE t FOR SHARE",
    ):
        assert known(sql) == "rows", sql
    for sql in (
        "WITH a AS (DELETE FROM t RETURNING b) UPDATE u SET c = 1",
        "INSERT INTO t (\"RETURNING\") VALUES ('RETURNING')",
        "UPDATE t SET a = 'it''s' -- RETURNING",
        "UPDATE t SET a = (SELECT 1)",
        "MERGE INTO t USING u ON 1 = 1",
        "CREATE TABLE t (a)",
        "",
    ):
        assert known(sql) == "update", sql
    assert known(r"INSERT INTO t VALUES ('\' RETURNING')", mysql=True) == "update"
    assert known("INSERT INTO t VALUES (1) # RETURNING a", mysql=True) == "update"
    assert examine("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a").inserts


def test_results_of_any_size_come_in_blocks(stage, sqlite):
    large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) SELECT i FROM n"
    with dbapi.connect(stage.service.url, "sqlite", fetch_rows=40_000) as connection:
        cursor = execute(connection, large)
        before = connection.requests
        assert sum(row[0] for row in cursor) == sum(range(150_001))
        assert connection.requests - before == 3
        assert cursor.rowcount == 150_000
        cursor = execute(connection, large)
        assert len(cursor._rows) == 40_000
        assert [len(cursor.fetchmany(60_000)) for _ in range(4)] == [60_000, 60_000, 30_000, 0]
        assert len(execute(connection, large).fetchall()) == 150_000


class Turned(httpx.HTTPTransport):
    """Turns requests that hold this text away, as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.left = b"", 0

    def handle_request(self, request):
        if self.left and self.text in request.read():
            self.left -= 1
            return fault("ServerBusy", 503, **BUSY)
        return super().handle_request(request)


def test_a_commit_that_is_refused_can_be_asked_for_again(stage, kind, service, people):
    turned = Turned()
    with dbapi.connect(stage.service.url, kind, patience=0, transport=turned) as connection:
        execute(connection, f"DELETE FROM {people} WHERE id = 1")
        turned.text, turned.left = b"<commit", 2
        for _ in range(2):
            with pytest.raises(dbapi.OperationalError) as refused:
                connection.commit()
            assert isinstance(refused.value.fault, errors.ServerBusy)
        connection.commit()
        turned.text, turned.left = b"<rollback", 1
        execute(connection, f"DELETE FROM {people}")
        with pytest.raises(dbapi.OperationalError):
            connection.rollback()
        assert execute(connection, f"SELECT count(*) FROM {people}").fetchone() == (0,)
        connection.rollback()
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == 3


def test_a_statement_that_ends_its_transaction_is_followed_by_a_rollback(stage, kind, service, people):
    if kind == "sqlite":
        pytest.skip("one writes at a time: shown below")
    with dbapi.connect(stage.service.url, kind) as one, dbapi.connect(stage.service.url, kind) as other:
        for number, each in ((1, one), (2, other)):
            execute(each, f"UPDATE {people} SET town = 'Wick' WHERE id = ?", (number,))
        lost: list[object] = []

        def cross(connection, number):
            try:
                execute(connection, f"UPDATE {people} SET town = 'Wick' WHERE id = ?", (number,))
            except dbapi.OperationalError as error:
                lost.extend([connection, error])

        thread = threading.Thread(target=cross, args=(one, 2))
        thread.start()
        cross(other, 1)
        thread.join()
        error = lost[1]
        assert isinstance(error.fault, errors.TransactionConflict)
        assert "deadlock" in str(error).lower()
        for each in (one, other):
            if lost[0] is each:
                # Nothing runs outside of it in silence.
                with pytest.raises(dbapi.OperationalError) as failed:
                    execute(each, f"SELECT count(*) FROM {people}")
                assert isinstance(failed.value.fault, errors.TransactionConflict)
                assert failed.value.fault.activity_code == "TransactionRolledBack"
            each.rollback()
            assert execute(each, f"SELECT count(*) FROM {people} WHERE town = 'Wick'").fetchone() == (0,)
            each.rollback()


def test_a_constraint_that_is_looked_at_in_the_end_fails_the_commit(connection, kind, service, people, table):
    if kind == "mariadb":
        pytest.skip("MariaDB looks at once")
    child = f"{table}_child"
    service.update(f"CREATE TABLE {child} (id INTEGER REFERENCES {people} (id) DEFERRABLE INITIALLY DEFERRED)")
    execute(connection, f"INSERT INTO {child} VALUES (99)")
    with pytest.raises(dbapi.IntegrityError):
        connection.commit()
    execute(connection, f"INSERT INTO {child} VALUES (1)")
    connection.commit()
    assert service.query(f"SELECT id FROM {child}").rows == [(1,)]


def test_a_table_that_can_not_be_made_leaves_the_driver_outside_of_a_transaction(stage, service, table):
    with dbapi.connect(stage.service.url, "mariadb") as connection:
        execute(connection, f"CREATE TABLE {table} (id INTEGER)")
        execute(connection, f"INSERT INTO {table} VALUES (1)")
        with pytest.raises(dbapi.ProgrammingError):
            execute(connection, "DROP TABLE nowhere")
        # What was done before is committed; what comes next is a transaction again.
        execute(connection, f"INSERT INTO {table} VALUES (2)")
        connection.rollback()
        assert execute(connection, f"SELECT id FROM {table}").fetchall() == [(1,)]


def test_values_that_a_database_does_not_have_are_refused(connection, kind):
    if kind != "postgres":
        with pytest.raises(dbapi.InterfaceError, match="has no arrays"):
            execute(connection, "SELECT ?", ([1, 2],))
    with pytest.raises(dbapi.DataError, match=r"U\+0000") as failed:
        execute(connection, "SELECT ?", ("a\0",))
    assert isinstance(failed.value.__cause__, ValueError)

    def rows():
        yield (1,)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        connection.cursor().executemany("DELETE FROM nowhere WHERE id = ?", rows())
    for wrong in ("abc", {"a": 1}, 5):
        with pytest.raises(dbapi.Error, match="a sequence, one value for each"):
            execute(connection, "SELECT ?", wrong)
        with pytest.raises(dbapi.Error, match="a sequence, one value for each"):
            connection.cursor().executemany("DELETE FROM nowhere WHERE id = ?", [wrong])
    connection.rollback()


def test_a_block_that_closes_its_connection_is_well(stage, kind):
    with dbapi.connect(stage.service.url, kind) as connection:
        connection.close()


class Forgetful(httpx.HTTPTransport):
    """Loses the next answer, and turns away whoever asks for it."""

    lost: bytes | None = None
    armed = False
    step = b"DELETE"
    refusal = fault("ServerBusy", 503, retryable="true", retryAfter="60")

    def handle_request(self, request):
        content = request.read()
        if self.armed and self.lost is None and self.step in content:
            super().handle_request(request).read()
            self.lost = content
            raise httpx.ReadError("broken")
        if self.lost == content:
            return self.refusal
        return super().handle_request(request)


def test_a_driver_that_is_turned_away_after_an_answer_was_lost_does_not_know(stage, kind, service, people):
    transport = Forgetful()
    with dbapi.connect(stage.service.url, kind, transport=transport) as connection:
        transport.armed = True
        with pytest.raises(dbapi.OperationalError, match="ServerBusy"):
            execute(connection, f"DELETE FROM {people}")
        with pytest.raises(dbapi.OperationalError, match="roll it back"):
            connection.commit()
        connection.rollback()
        assert execute(connection, f"SELECT count(*) FROM {people}").fetchone() == (4,)


@pytest.mark.parametrize("step", [b"DELETE", b"<commit"])
def test_a_driver_whose_session_ends_after_an_answer_was_lost_says_that_it_may_have_run(stage, kind, service, people, step):
    transport = Forgetful()
    transport.step, transport.refusal = step, fault("SessionNotFound", 404)
    with dbapi.connect(stage.service.url, kind, transport=transport) as connection:
        transport.armed = True
        with pytest.raises(dbapi.OperationalError, match="may have run") as lost:
            execute(connection, f"DELETE FROM {people}")
            connection.commit()
        assert isinstance(lost.value.fault, rejoin.LostAnswer)
        assert lost.value.fault.may_have_run
        assert isinstance(lost.value.fault.__cause__, errors.SessionNotFound)
        with pytest.raises(dbapi.OperationalError, match="roll it back"):
            connection.commit()
        connection.rollback()
    assert service.query(f"SELECT count(*) FROM {people}").scalar() == (0 if step == b"<commit" else 4)


def test_a_lost_block_of_rows_ends_with_an_error(stage, sqlite, table):
    make_people(sqlite, table)
    proxy = Proxy(stage.service.port)
    with dbapi.connect(proxy.url, "sqlite", patience=0, fetch_rows=2) as connection:
        cursor = execute(connection, f"SELECT id FROM {table} ORDER BY id")
        assert cursor.fetchmany(2) == [(1,), (2,)]
        proxy.breaks(Break.AFTER_ANSWER)
        with pytest.raises(dbapi.OperationalError) as lost:
            cursor.fetchall()
        assert isinstance(lost.value.fault, rejoin.LostAnswer)
        connection.rollback()
        with pytest.raises(dbapi.ProgrammingError, match="ended with its transaction"):
            cursor.fetchone()
    proxy.close()
