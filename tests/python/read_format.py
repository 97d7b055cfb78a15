"""Reads a file with the libraries of others, and prints what they have understood.

Usage: read_format.py arrow|parquet|csv|json|lines FILE

The first line of the output has the types of the columns, as far as the format says any; each further line has a row: a JSON
array with a string or null for each value (a list for a list).
"""

import csv
import datetime
import decimal
import json
import sys


def text(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [text(item) for item in value]
    if type(value).__name__ == "MonthDayNano":
        return f"{value.months} {value.days} {value.nanoseconds}"
    return str(value) if isinstance(value, (int, decimal.Decimal)) else repr(value)


def rows_of_table(table):
    print(json.dumps([str(field.type) for field in table.schema]))
    for row in range(table.num_rows):
        print(json.dumps([text(column[row].as_py()) for column in table.columns]))


def main(form, path):
    if form == "arrow":
        import pyarrow.ipc
        rows_of_table(pyarrow.ipc.open_stream(path).read_all())
    elif form == "parquet":
        import pyarrow.parquet
        rows_of_table(pyarrow.parquet.read_table(path))
    elif form == "csv":
        print("[]")
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.reader(file, strict=True):
                print(json.dumps(row))
    else:
        print("[]")
        with open(path, newline="", encoding="utf-8") as file:
            documents = [file.read()] if form == "json" else file.read().split("\n")[:-1]
        for document in documents:
            value = json.loads(document, parse_float=decimal.Decimal)
            for row in value if form == "json" else [value]:
                print(json.dumps([text(item) for item in row.values()]))


main(*sys.argv[1:])
