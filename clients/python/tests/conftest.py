"""One server of each kind for all tests; each test has tables of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

import rejoin
from servers import MariaDB, PostgreSQL, Rejoin

KINDS = ("sqlite", "postgres", "mariadb")
_numbers = itertools.count(1)


@dataclass
class Stage:
    """What all tests share."""

    postgres: PostgreSQL
    mariadb: MariaDB
    service: Rejoin


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with ThreadPoolExecutor(2) as pool:
        starting = pool.submit(PostgreSQL), pool.submit(MariaDB)
        postgres, mariadb = (each.result() for each in starting)
    try:
        service = Rejoin({"sqlite": "sqlite:orders.db?mode=rwc", "postgres": postgres.uri, "mariadb": mariadb.uri})
        try:
            yield Stage(postgres, mariadb, service)
        finally:
            service.stop()
    finally:
        postgres.stop()
        mariadb.stop()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.param)


@pytest.fixture
def service(stage: Stage, kind: str) -> Iterator[rejoin.DataService]:
    """A client of the resource of that database."""
    with rejoin.connect(stage.service.url, kind) as client:
        yield client


@pytest.fixture
def sqlite(stage: Stage) -> Iterator[rejoin.DataService]:
    """A client of the embedded database alone."""
    with rejoin.connect(stage.service.url, "sqlite") as client:
        yield client


@pytest.fixture
def table() -> str:
    """A name for a table that no other test has."""
    return f"t{next(_numbers)}"


@pytest.fixture
def people(service: rejoin.DataService, table: str) -> str:
    """A table with four people."""
    return make_people(service, table)


def make_people(service: rejoin.DataService, table: str) -> str:
    """Makes a table with four people."""
    service.update(
        f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, town VARCHAR(40), credit NUMERIC(9,2))"
    )
    rows = [
        (1, "Ada", "Perth", "10.50"),
        (2, "Bea", "Oban", "0"),
        (3, "<Grace>", "Perth", "-3"),
        (4, "Zoë", None, None),
    ]
    assert service.update_many(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows) == 4
    return table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what the compliance suite of DB-API 2.0 drivers says, database by database."""
    counts: dict[str, list[int]] = {}
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            if outcome in ("passed", "failed") and getattr(report, "when", "") == "call" and "dbapi_compliance" in report.nodeid:
                name = report.nodeid.split("::")[1].removeprefix("Test")
                counted = counts.setdefault(name, [0, 0])
                counted[0] += outcome == "passed"
                counted[1] += 1
    if counts:
        terminalreporter.section("DB-API 2.0 compliance (dbapi-compliance 1.15.0)")
        for name, (passed, run) in counts.items():
            terminalreporter.write_line(f"{name}: {passed} of {run} passed")
