"""The public compliance suite of DB-API 2.0 drivers (PyPI: dbapi-compliance), against each database."""

from __future__ import annotations

import dbapi20
import pytest

from rejoin import dbapi


class _Suite(dbapi20.DatabaseAPI20Test):
    driver = dbapi
    kind = ""

    @pytest.fixture(autouse=True)
    def _connect_to(self, stage):
        self.connect_args = (stage.service.url, self.kind)

    # What the suite leaves to drivers.

    def test_nextset(self):
        # Optional: a statement gives one set of rows.
        assert not hasattr(dbapi.Cursor, "nextset")

    def test_setoutputsize(self):
        connection = self._connect()
        try:
            connection.cursor().setoutputsize(1000, 1)
        finally:
            connection.close()


class TestSQLite(_Suite):
    kind = "sqlite"
    # SQLite has no stored procedures.
    lower_func = None


class TestPostgreSQL(_Suite):
    kind = "postgres"


class TestMariaDB(_Suite):
    kind = "mariadb"
    # Functions of its own are no procedures there.
    lower_func = "dbapi20test_lower"

    def setUp(self):
        connection = self._connect()
        connection.cursor().execute("CREATE OR REPLACE PROCEDURE dbapi20test_lower(word VARCHAR(20)) SELECT LOWER(word) AS lowered")
        connection.close()


del _Suite
