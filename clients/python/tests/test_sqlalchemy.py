"""The dialects: pandas, a core CRUD round, reflection, the ORM."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
import warnings

import pandas
import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB

import rejoin.dbapi
from proxy import Break, Proxy
from test_interruptions import Interrupted

DIALECTS = {"sqlite": "sqlite", "postgres": "postgresql", "mariadb": "mysql"}


@pytest.fixture
def engine(stage, kind):
    made = sa.create_engine(f"rejoin+{DIALECTS[kind]}://127.0.0.1:{stage.service.port}/{kind}")
    yield made
    made.dispose()


def test_pandas_writes_and_reads_frames(engine, table):
    frame = pandas.DataFrame(
        {"id": [1, 2, 3], "name": ["Ada", None, "Zoë ?"], "ratio": [0.5, float("nan"), -1.25], "flag": [True, False, True]}
    )
    assert frame.to_sql(table, engine, index=False) in (3, None, -1)
    read = pandas.read_sql(f"SELECT id, name, ratio FROM {table} ORDER BY id", engine)
    pandas.testing.assert_frame_equal(read, frame[["id", "name", "ratio"]], check_dtype=False)
    read = pandas.read_sql(sa.text(f"SELECT id FROM {table} WHERE name = :name"), engine, params={"name": "Zoë ?"})
    assert read["id"].tolist() == [3]
    frame.to_sql(table, engine, index=False, if_exists="append")
    assert len(pandas.read_sql(table, engine)) == 6
    frame.to_sql(table, engine, index=False, if_exists="replace")
    assert pandas.read_sql_table(table, engine)["id"].tolist() == [1, 2, 3]


def test_a_core_crud_round(engine, table):
    metadata = sa.MetaData()
    account = sa.Table(
        table,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String(40), nullable=False, unique=True),
        sa.Column("balance", sa.Numeric(12, 2), nullable=False),
        sa.Column("opened", sa.DateTime),
        sa.Column("day", sa.Date),
        sa.Column("active", sa.Boolean),
        sa.Column("data", sa.LargeBinary),
    )
    metadata.create_all(engine)
    assert sa.inspect(engine).has_table(table)
    opened = dt.datetime(2026, 11, 22, 8, 0, 1)
    with engine.begin() as connection:
        made = connection.execute(
            account.insert().values(
                owner="Ada", balance=decimal.Decimal("10.50"), opened=opened, day=opened.date(), active=True, data=b"\x00\xff"
            )
        )
        assert made.inserted_primary_key == (1,)
        many = [{"owner": f"p{i}", "balance": i} for i in range(2, 12)]
        connection.execute(account.insert(), many)
    with engine.connect() as connection:
        row = connection.execute(sa.select(account).where(account.c.owner == "Ada")).one()
        assert tuple(row) == (1, "Ada", decimal.Decimal("10.50"), opened, opened.date(), True, b"\x00\xff")
        assert connection.scalar(sa.select(sa.func.count()).select_from(account).where(account.c.balance + 0 > 5)) == 7
        assert connection.scalar(sa.select(account.c.owner).order_by(account.c.balance.desc()).limit(1).offset(1)) == "Ada"
        assert connection.scalar(sa.select(sa.literal(5))) == 5
        connection.rollback()
        changed = connection.execute(account.update().where(account.c.id <= 3).values(balance=account.c.balance + 1))
        assert changed.rowcount == 3
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            connection.execute(account.insert().values(owner="Ada", balance=0))
        with connection.begin_nested() as nested:
            connection.execute(account.delete())
            nested.rollback()
        assert connection.scalar(sa.select(sa.func.count()).select_from(account)) == 11
        connection.rollback()
    with engine.begin() as connection:
        assert connection.scalar(sa.select(account.c.balance).where(account.c.id == 1)) == decimal.Decimal("10.50")
        assert connection.execute(account.delete().where(account.c.id.in_([2, 3]))).rowcount == 2
    columns = {column["name"]: column for column in sa.inspect(engine).get_columns(table)}
    assert set(columns) == set(account.c.keys())
    assert columns["owner"]["nullable"] is False
    assert sa.inspect(engine).get_pk_constraint(table)["constrained_columns"] == ["id"]
    metadata.drop_all(engine)
    assert not sa.inspect(engine).has_table(table)


def test_the_orm_finds_the_keys_that_the_database_made_up(engine, table):
    class Base(orm.DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = table
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
        name: orm.Mapped[str] = orm.mapped_column(sa.String(40))

    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        ada, bea = Person(name="Ada"), Person(name="Bea")
        session.add_all([ada, bea])
        session.commit()
        assert (ada.id, bea.id) == (1, 2)
        ada.name = "Ada L."
        session.commit()
        assert session.scalars(sa.select(Person.name).order_by(Person.id)).all() == ["Ada L.", "Bea"]


def test_a_connection_is_gone_with_its_session(engine):
    with engine.connect() as connection:
        connection.connection.dbapi_connection.session.end()
        with pytest.raises(sa.exc.DBAPIError) as lost:
            connection.execute(sa.text("SELECT 1"))
        assert lost.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1


def test_types_of_postgresql_go_both_ways(engine, kind, table):
    if kind != "postgres":
        pytest.skip("types of PostgreSQL")
    metadata = sa.MetaData()
    thing = sa.Table(
        table,
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("data", JSONB),
        sa.Column("moment", sa.DateTime(timezone=True)),
        sa.Column("number", sa.BigInteger, sa.Sequence(f"{table}_numbers")),
        sa.Column("span", sa.Interval),
    )
    metadata.create_all(engine)
    moment = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
    row = {"id": uuid.uuid4(), "data": {"a": [1, None], "b?": "x"}, "moment": moment, "span": dt.timedelta(minutes=90)}
    with engine.begin() as connection:
        connection.execute(thing.insert(), row)
        found = connection.execute(sa.select(thing)).one()
        assert tuple(found) == (row["id"], row["data"], moment, 1, row["span"])
        assert connection.scalar(sa.select(thing.c.number).where(thing.c.data.has_key("b?"), thing.c.id == row["id"])) == 1
        assert connection.scalar(sa.select(thing.c.data["b?"].as_string())) == "x"
        assert connection.scalar(sa.select(thing.c.data["a"][0].as_integer())) == 1
        assert connection.scalar(sa.select(thing.c.data[("a", 0)].as_integer())) == 1
        asked = sa.text(f"SELECT '?' || number FROM {table} WHERE data ? :key")
        assert connection.scalar(asked, {"key": "a"}) == "?1"
    metadata.drop_all(engine)


def test_mariadb_has_a_name_of_its_own(stage, table):
    engine = sa.create_engine(f"rejoin+mariadb://127.0.0.1:{stage.service.port}/mariadb?isolation=serializable")
    assert (engine.dialect.name, engine.dialect.is_mariadb) == ("mariadb", True)
    thing = sa.Table(table, sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("at", sa.Time))
    thing.metadata.create_all(engine)
    with engine.begin() as connection:
        assert connection.get_isolation_level() == "SERIALIZABLE"
        connection.execute(thing.insert(), {"at": dt.time(8, 30)})
        assert connection.execute(sa.select(thing)).one() == (1, dt.time(8, 30))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(thing.delete())
        assert connection.get_isolation_level() == "AUTOCOMMIT"
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(thing)) == 0
    with pytest.raises(sa.exc.OperationalError):
        sa.create_engine("rejoin+mysql://127.0.0.1:9/nowhere").connect()
    engine.dispose()


def test_tables_are_reflected_whole(engine, table):
    metadata = sa.MetaData()
    parent = sa.Table(
        f"{table}_p", metadata, sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.String(9), primary_key=True)
    )
    sa.Table(
        table,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a", sa.Integer, nullable=False),
        sa.Column("b", sa.String(9), nullable=False),
        sa.Column("credit", sa.Numeric(9, 2), server_default=sa.text("0")),
        sa.Column("note", sa.Text),
        sa.ForeignKeyConstraint(["a", "b"], [parent.c.a, parent.c.b], name=f"{table}_fk", ondelete="CASCADE"),
        sa.UniqueConstraint("a", "b", name=f"{table}_once"),
        sa.Index(f"{table}_by_credit", "credit", "a"),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE VIEW {table}_v AS SELECT id FROM {table}"))
    inspector = sa.inspect(engine)
    assert {table, f"{table}_p"} <= set(inspector.get_table_names())
    assert f"{table}_v" in inspector.get_view_names()
    assert "select" in (inspector.get_view_definition(f"{table}_v") or "").lower()
    columns = {column["name"]: column for column in inspector.get_columns(table)}
    assert list(columns) == ["id", "a", "b", "credit", "note"]
    assert [columns[name]["nullable"] for name in ("a", "note")] == [False, True]
    assert (columns["credit"]["type"].precision, columns["credit"]["type"].scale) == (9, 2)
    assert columns["b"]["type"].length == 9
    assert "0" in columns["credit"]["default"]
    assert inspector.get_pk_constraint(f"{table}_p")["constrained_columns"] == ["a", "b"]
    (key,) = inspector.get_foreign_keys(table)
    assert (key["constrained_columns"], key["referred_table"], key["referred_columns"]) == (["a", "b"], f"{table}_p", ["a", "b"])
    assert key["options"].get("ondelete") == "CASCADE"
    indexes = {index["name"]: index for index in inspector.get_indexes(table)}
    assert indexes[f"{table}_by_credit"]["column_names"] == ["credit", "a"]
    assert not indexes[f"{table}_by_credit"]["unique"]
    assert f"{table}_once" in [each["name"] for each in inspector.get_unique_constraints(table)]
    # What is reflected can be worked with.
    again = sa.Table(table, sa.MetaData(), autoload_with=engine)
    assert [each.name for each in again.primary_key] == ["id"]
    assert {each.target_fullname for each in again.foreign_keys} == {f"{table}_p.a", f"{table}_p.b"}
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP VIEW {table}_v"))
    metadata.drop_all(engine)


def test_pandas_writes_and_reads_in_chunks(engine, kind, table):
    frame = pandas.DataFrame({"id": range(2500), "name": [f"name {i}" if i % 3 else None for i in range(2500)]})
    frame["at"] = pandas.Timestamp("2026-11-22T08:00:00.5") + pandas.to_timedelta(frame["id"], unit="s")
    frame.loc[7, "at"] = pandas.NaT
    types = {"at": sa.dialects.mysql.DATETIME(fsp=6)} if kind == "mariadb" else None
    assert frame.to_sql(table, engine, index=False, chunksize=700, dtype=types) == 2500
    assert frame.to_sql(f"{table}_multi", engine, index=False, chunksize=100, method="multi", dtype=types) == 2500
    for each in (table, f"{table}_multi"):
        read = pandas.read_sql_table(each, engine)
        pandas.testing.assert_frame_equal(read, frame, check_dtype=False)
    chunks = list(pandas.read_sql(f"SELECT id FROM {table} WHERE id >= ? ORDER BY id", engine, params=(500,), chunksize=600))
    assert [len(chunk) for chunk in chunks] == [600, 600, 600, 200]
    assert pandas.concat(chunks)["id"].tolist() == list(range(500, 2500))
    empty = pandas.read_sql(f"SELECT id, name FROM {table} WHERE id < 0", engine)
    assert (list(empty.columns), len(empty)) == (["id", "name"], 0)
    dated = pandas.read_sql(f"SELECT id, at FROM {table} ORDER BY id", engine, parse_dates=["at"], index_col="id")
    assert dated["at"].isna().sum() == 1


def test_pandas_reads_through_the_driver_itself(stage, kind, service, people):
    with rejoin.dbapi.connect(stage.service.url, kind) as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = pandas.read_sql(f"SELECT id, name FROM {people} WHERE id > ? ORDER BY id", connection, params=[2])
        assert read.to_numpy().tolist() == [[3, "<Grace>"], [4, "Zoë"]]


def test_a_pool_looks_before_it_leaps(stage, kind):
    url = f"rejoin+{DIALECTS[kind]}://127.0.0.1:{stage.service.port}/{kind}"
    engine = sa.create_engine(url, pool_pre_ping=True, pool_size=1, max_overflow=0)
    with engine.connect() as connection:
        first = connection.connection.dbapi_connection
    first.session.end()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
        assert connection.connection.dbapi_connection is not first
    engine.dispose()


def test_what_was_not_committed_is_gone_when_a_connection_comes_back(stage, kind, service, people):
    url = f"rejoin+{DIALECTS[kind]}://127.0.0.1:{stage.service.port}/{kind}"
    engine = sa.create_engine(url, pool_size=1, max_overflow=0)
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        connection.execute(sa.text(f"DELETE FROM {people}"))
        connection.execute(sa.text(f"SELECT id FROM {people}"))
        used = connection.connection.dbapi_connection
    with engine.connect() as connection:
        assert connection.connection.dbapi_connection is used
        assert connection.scalar(sa.text(f"SELECT count(*) FROM {people}")) == 4
        assert used.isolation is None
    # One that is given up in the middle is thrown away.
    with pytest.raises(KeyboardInterrupt), engine.connect() as connection, Interrupted(used.session, "DELETE"):
        connection.execute(sa.text(f"DELETE FROM {people}"))
    with engine.connect() as connection:
        assert connection.connection.dbapi_connection is not used
        assert connection.scalar(sa.text(f"SELECT count(*) FROM {people}")) == 4
    engine.dispose()


@pytest.mark.parametrize(
    ("query", "options", "expected"),
    [
        ("", {}, (False, None)),
        ("?isolation=serializable", {}, (False, "serializable")),
        ("", {"isolation_level": "SERIALIZABLE"}, (False, "serializable")),
        ("", {"isolation_level": "AUTOCOMMIT"}, (True, None)),
        ("", {"connect_args": {"autocommit": True}}, (True, None)),
        ("?isolation=repeatableRead", {"isolation_level": "SERIALIZABLE"}, (False, "serializable")),
    ],
)
def test_a_connection_comes_back_with_the_isolation_of_its_engine(stage, query, options, expected):
    url = f"rejoin+sqlite://127.0.0.1:{stage.service.port}/sqlite{query}"
    engine = sa.create_engine(url, pool_size=1, max_overflow=0, **options)
    for level in ("AUTOCOMMIT", "READ COMMITTED", "AUTOCOMMIT"):
        with engine.connect() as connection:
            driver = connection.connection.dbapi_connection
            assert (driver.autocommit, driver.isolation) == expected
        with engine.connect().execution_options(isolation_level=level) as connection:
            assert connection.connection.dbapi_connection is driver
            assert connection.get_isolation_level() == level
            assert connection.scalar(sa.text("SELECT 1")) == 1
    assert (driver.autocommit, driver.isolation) == expected
    engine.dispose()


def test_types_go_both_ways(engine, kind, table):
    metadata = sa.MetaData()
    thing = sa.Table(
        table,
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("uid", sa.Uuid),
        sa.Column("data", sa.JSON),
        sa.Column("exact", sa.Numeric(20, 4)),
        sa.Column("ratio", sa.Double),
        sa.Column("day", sa.Date),
        sa.Column("at", sa.Time),
        sa.Column("moment", sa.DateTime),
        sa.Column("flag", sa.Boolean),
        sa.Column("colour", sa.Enum("red", "blue", name=f"{table}_colour")),
        sa.Column("bytes", sa.LargeBinary),
        sa.Column("text", sa.UnicodeText),
        *([sa.Column("numbers", sa.ARRAY(sa.Integer)), sa.Column("free", sa.Numeric)] if kind == "postgres" else []),
    )
    metadata.create_all(engine)
    row = (
        2**62 if kind != "sqlite" else 7,
        uuid.uuid4(),
        {"a": [1, None, "é?"], "b": {"c": 0.5}},
        decimal.Decimal("1234567890.1234"),
        0.1,
        dt.date(2026, 11, 22),
        dt.time(8, 30, 1),
        dt.datetime(2026, 11, 22, 8, 30, 1),
        True,
        "blue",
        b"\x00\xff",
        "a 'b' ? \\ %s :c",
        *([[1, None, 3], decimal.Decimal("1.50")] if kind == "postgres" else []),
    )
    with engine.begin() as connection:
        connection.execute(thing.insert(), dict(zip(thing.c.keys(), row, strict=True)))
        connection.execute(thing.insert(), {"id": 1})
        found = connection.execute(sa.select(thing).order_by(thing.c.id.desc())).all()
        assert tuple(found[0]) == row
        assert set(found[1][1:]) == {None}
        total = connection.scalar(sa.select(sa.func.sum(thing.c.exact)))
        assert (type(total), total) == (decimal.Decimal, row[3])
        assert connection.scalar(sa.select(thing.c.id).where(thing.c.uid == row[1], thing.c.colour == "blue")) == row[0]
    metadata.drop_all(engine)


def test_rows_are_returned_by_statements_that_write(engine, kind, table):
    metadata = sa.MetaData()
    thing = sa.Table(table, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20), default="x"))
    metadata.create_all(engine)
    with engine.begin() as connection:
        assert engine.dialect.insert_returning
        assert engine.dialect.delete_returning
        assert engine.dialect.update_returning == (kind != "mariadb")
        assert connection.execute(thing.insert().values(name="a").returning(thing.c.id, thing.c.name)).one() == (1, "a")
        many = thing.insert().returning(thing.c.id, sort_by_parameter_order=True)
        # (SQLAlchemy has SQLite insert them one by one.)
        last = 41 if kind == "sqlite" else 1501
        assert connection.scalars(many, [{"name": f"n{i}"} for i in range(2, last + 1)]).all() == list(range(2, last + 1))
        assert connection.execute(thing.insert()).inserted_primary_key == (last + 1,)
        gone = thing.delete().where(thing.c.id >= last).returning(thing.c.id)
        assert sorted(connection.scalars(gone)) == [last, last + 1]
        assert connection.scalars(gone).all() == []
        if kind != "mariadb":
            raised = thing.update().where(thing.c.id == 1).values(name=thing.c.name + "!").returning(thing.c.name)
            assert connection.scalar(raised) == "a!"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        made = connection.execute(thing.insert().values(name="auto")).inserted_primary_key
        assert connection.scalar(sa.select(thing.c.name).where(thing.c.id == made[0])) == "auto"
    metadata.drop_all(engine)


def test_rows_are_locked_for_an_update(engine, kind, people):
    table = sa.Table(people, sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        found = connection.execute(sa.select(table.c.id).where(table.c.id < 3).order_by(table.c.id).with_for_update())
        assert found.scalars().all() == [1, 2]


def test_urls_say_what_they_mean():
    dialect = sa.create_engine("rejoin+sqlite://h/r").dialect
    url = sa.make_url("rejoin+sqlite://ada:pa%2Fss@[::1]:99/orders?tls=true&fetch_rows=50&patience=2.5&database=ledger")
    (address, resource), options = dialect.create_connect_args(url)
    assert (address, resource) == ("https://[::1]:99", "orders")
    assert options == {"auth": ("ada", "pa/ss"), "fetch_rows": 50, "patience": 2.5, "database": "ledger"}
    with pytest.raises(sa.exc.ArgumentError, match="the option 'tsl'"):
        dialect.create_connect_args(sa.make_url("rejoin+sqlite://h/r?tsl=true"))


def test_an_option_of_a_url_is_never_read_as_something_else():
    dialect = sa.create_engine("rejoin+sqlite://h/r").dialect

    def asked(query):
        return dialect.create_connect_args(sa.make_url(f"rejoin+sqlite://ada:secret@h/r?{query}"))

    for value in ("true", "True", "TRUE", "1", "yes", "Yes", "on"):
        assert asked(f"tls={value}")[0][0] == "https://h:443"
    for value in ("false", "False", "0", "no", "OFF"):
        (address, _), options = asked(f"tls={value}&compression={value}")
        assert (address, options["compression"]) == ("http://h:8080", False)
    for value in ("tls=y", "tls=tru", "tls=true&tls=true", "tls=false&tls=true"):
        with pytest.raises(sa.exc.ArgumentError, match=r"the option 'tls' with .*; it takes one of true, 1, yes, on, false,"):
            asked(value)
    for value in ("compression=2", "fetch_rows=many", "patience=long", "database=one&database=other"):
        with pytest.raises(sa.exc.ArgumentError, match=rf"the option '{value.split('=')[0]}' with .*; it takes"):
            asked(value)


def test_rows_are_written_once_however_often_the_connection_breaks(stage, kind, service, table):
    service.update(f"CREATE TABLE {table} (id INTEGER, name VARCHAR(20))")
    proxy = Proxy(stage.service.port)
    engine = sa.create_engine(f"rejoin+{DIALECTS[kind]}://127.0.0.1:{proxy.port}/{kind}")
    frame = pandas.DataFrame({"id": range(20), "name": "x"})
    for moment in Break:
        with engine.begin() as connection:
            for _ in range(2):
                proxy.breaks(moment)
                frame.to_sql(table, connection, index=False, if_exists="append")
            proxy.breaks(moment)
    assert proxy.left == 0
    assert len(pandas.read_sql(f"SELECT * FROM {table}", engine)) == 40 * len(Break)
    engine.dispose()
    proxy.close()
