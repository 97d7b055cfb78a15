"""Writes a file with types that others use, by their libraries.

Usage: write_format.py arrow|parquet FILE
"""

import datetime
import decimal
import sys

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

MOMENT = datetime.datetime(2026, 11, 21, 8, 0, 0, 500000)
COLUMNS = {
    "large_text": pa.array(["a", None, "ü"], pa.large_string()),
    "dictionary": pa.array(["x", "y", "x"]).dictionary_encode(),
    "bytes": pa.array([b"\x00\xff", None, b""], pa.large_binary()),
    "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "nanoseconds": pa.array([MOMENT, None, MOMENT], pa.timestamp("ns", tz="Europe/Berlin")),
    "seconds": pa.array([MOMENT.replace(microsecond=0), None, None], pa.timestamp("s")),
    "milliseconds": pa.array([MOMENT.time(), None, None], pa.time32("ms")),
    "decimal": pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("-2.00")], pa.decimal128(5, 2)),
    "large_list": pa.array([[1, None], [], None], pa.large_list(pa.int16())),
    "nothing": pa.nulls(3),
}


def main(form, path):
    table = pa.table(COLUMNS)
    if form == "arrow":
        with pa.ipc.new_stream(path, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table)
    else:
        pa.parquet.write_table(table, path, compression="zstd")


main(*sys.argv[1:])
