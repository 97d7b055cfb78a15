"""The reader of Arrow streams gives what pyarrow gives."""

from __future__ import annotations

import datetime as dt
import io
import random
from decimal import Decimal

import pyarrow as pa
import pytest

from rejoin import Result, RowStream, errors

RANDOM = random.Random(20261122)

TYPES = {
    **{f"{sign}int{bits}": getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float32": pa.float32(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.utf8(),
    "binary": pa.binary(),
    "decimal(38,4)": pa.decimal128(38, 4),
    "decimal(76,10)": pa.decimal256(76, 10),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "text[]": pa.list_(pa.utf8()),
    "int32[]": pa.list_(pa.int32()),
}


def some(name: str) -> object:
    """A value of the type."""
    day = dt.date(1, 1, 1) + dt.timedelta(days=RANDOM.randrange(3_000_000))
    moment = dt.datetime(1, 1, 1) + dt.timedelta(microseconds=RANDOM.randrange(250_000_000_000_000_000))
    if name.endswith("[]"):
        return [None if RANDOM.random() < 0.2 else some(name[:-2]) for _ in range(RANDOM.randrange(4))]
    if name.startswith(("int", "uint")):
        bits = int(name.removeprefix("u").removeprefix("int"))
        return RANDOM.randrange(2**bits) if name[0] == "u" else RANDOM.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    if name.startswith("decimal"):
        digits, scale = map(int, name[8:-1].split(","))
        return Decimal(RANDOM.randrange(-(10**digits) + 1, 10**digits)).scaleb(-scale)
    return {
        "float32": RANDOM.randrange(-1000, 1000) / 8,
        "float64": RANDOM.random() * 1e300,
        "boolean": RANDOM.random() < 0.5,
        "text": "".join(RANDOM.choices("aé✓𝄞 \n", k=RANDOM.randrange(6))),
        "binary": RANDOM.randbytes(RANDOM.randrange(5)),
        "date": day,
        "time": moment.time(),
        "timestamp": moment,
        "timestamptz": moment.replace(tzinfo=dt.UTC),
    }[name]


def stream_of(batches: list[pa.RecordBatch]) -> bytes:
    written = io.BytesIO()
    with pa.ipc.new_stream(written, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return written.getvalue()


def batch_of(rows: int, nulls: float) -> pa.RecordBatch:
    columns = []
    for name, of_type in TYPES.items():
        values = [None if RANDOM.random() < nulls else some(name) for _ in range(rows)]
        # 76 digits are more than Python's decimals count with by themselves.
        columns.append(pa.array(values, of_type))
    return pa.record_batch(columns, names=list(TYPES))


@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
def test_every_type_is_read_as_pyarrow_reads_it(nulls):
    batches = [batch_of(rows, nulls) for rows in (1, 0, 7, 64, 65)]
    data = stream_of(batches)
    result = Result(data)
    assert [column.type for column in result.columns] == list(TYPES)
    expected = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    assert result.rows == expected
    assert len(result) == len(expected)
    # In pieces of any size, too.
    size = RANDOM.randrange(1, 5000)
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    assert list(RowStream(pieces)) == expected


def test_spans_of_time_keep_what_they_say():
    values = pa.array([pa.MonthDayNano([0, 2, 3_000_000]), pa.MonthDayNano([14, 3, 4_500_000_000]), None])
    result = Result(stream_of([pa.record_batch([values], names=["span"])]))
    assert [row[0] for row in result.rows] == [dt.timedelta(days=2, milliseconds=3), "P14M3DT4.5S", None]
    assert result.columns[0].type == "interval"


def test_what_is_no_stream_is_refused():
    for wrong in (b"<response/>", b"\xff\xff\xff\xff\x00\x00\x00\x00", b"\xff\xff\xff\xff\x04\x00\x00\x00abcdefghi"):
        for read in (Result, lambda data: list(RowStream(iter([data])))):
            with pytest.raises(errors.RejoinError, match=r"Arrow|broke off"):
                print(read(wrong))
    with pytest.raises(errors.UnexpectedAnswer, match="which this reader does not know"):
        Result(stream_of([pa.record_batch([pa.array([{"a": 1}])], names=["s"])]))


def test_a_stream_that_ends_before_its_end_is_broken_wherever_that_is():
    data = stream_of([batch_of(3, 0.3), batch_of(2, 0.0)])
    assert len(Result(data)) == 5
    for length in {0, 1, 7, 8, len(data) - 8, len(data) - 1, *(RANDOM.randrange(len(data)) for _ in range(200))}:
        with pytest.raises(errors.TransferBroken):
            Result(data[:length])
        for read in (list, lambda rows: list(rows.batches()), lambda rows: (rows.columns, list(rows))):
            with pytest.raises(errors.TransferBroken):
                read(RowStream(iter([data[: length // 2], data[length // 2 : length]])))


def test_columns_are_known_before_the_rows_are_read():
    rows = RowStream(iter([stream_of([pa.record_batch([pa.array([1, 2])], names=["n"])])]))
    assert [column.name for column in rows.columns] == ["n"]
    assert list(rows) == [(1,), (2,)]
    empty = RowStream(iter([stream_of([pa.record_batch([pa.array([], pa.int64())], names=["n"])])]))
    assert [column.type for column in empty.columns] == ["int64"]
    assert list(empty) == []
