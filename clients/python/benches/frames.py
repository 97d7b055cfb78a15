#!/usr/bin/env python3
"""A million rows of six columns of PostgreSQL into a pandas frame: by a query of the client, and by pandas.read_sql over psycopg.

Usage: frames.py [ROWS]

By turns, against the same table of the same throw-away server; prints the medians and their ratio. The service is the release build
of the repository, or what REJOIN_BINARY names.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("REJOIN_BINARY", str(Path(__file__).parents[3] / "target" / "release" / "rejoin"))

import pandas
import psycopg

import rejoin
from servers import PostgreSQL, Rejoin

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
ROUNDS = 3
TABLE = f"""
    CREATE TABLE sale AS SELECT
        i::bigint AS id, (i % 10000)::integer AS customer, (i % 997) * 1.25::double precision AS price,
        'article number ' || i % 5000 AS article, (ARRAY['Oban', 'Wick', 'Perth', 'Ayr'])[1 + i % 4] AS town,
        timestamp '2026-01-01' + i * interval '7 seconds' AS placed
    FROM generate_series(1, {ROWS}) AS s(i)
"""
QUERY = "SELECT * FROM sale"


def timed(read: Callable[[], pandas.DataFrame]) -> tuple[float, pandas.DataFrame]:
    start = time.perf_counter()
    frame = read()
    return time.perf_counter() - start, frame


def main() -> None:
    # pandas would rather have SQLAlchemy, which is slower.
    warnings.filterwarnings("ignore", message="pandas only supports SQLAlchemy")
    postgres = PostgreSQL()
    try:
        postgres.sql(TABLE)
        postgres.sql("VACUUM ANALYZE sale")
        service = Rejoin({"sales": postgres.uri})
        try:
            measure(postgres, service)
        finally:
            service.stop()
    finally:
        postgres.stop()


def measure(postgres: PostgreSQL, service: Rejoin) -> None:
    ours, theirs = [], []
    with (
        psycopg.connect(postgres.direct) as connection,
        rejoin.connect(service.url, "sales") as client,
        client.session() as session,
    ):
        for _ in range(ROUNDS):
            seconds, frame = timed(lambda: session.query(QUERY).to_pandas())
            ours.append(seconds)
            seconds, other = timed(lambda: pandas.read_sql(QUERY, connection))
            theirs.append(seconds)
    assert frame.shape == other.shape == (ROWS, 6)
    pandas.testing.assert_frame_equal(frame, other, check_dtype=False)
    one, two = statistics.median(ours), statistics.median(theirs)
    print(f"{ROWS:,} rows × 6 columns of PostgreSQL into a pandas frame, medians of {ROUNDS}:")
    print(f"  session.query(…).to_pandas()        {one:6.2f} s")
    print(f"  pandas.read_sql(…) over psycopg     {two:6.2f} s")
    print(f"  ratio                               {one / two:6.2f}   (bar: 1.00)")


if __name__ == "__main__":
    main()
