"""The dialects: pandas, a core CRUD round, reflection, the ORM."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid

import pandas
import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB

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
