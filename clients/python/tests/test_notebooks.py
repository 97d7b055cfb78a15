"""What is shown: results, progress; and that the package installs and is documented."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest
import tqdm

import rejoin
from rejoin import dbapi
from rejoin.activities import Echo, SqlQueryStatement, SqlResultsToCSV
from servers import binary

TYPES = "http://ogsadai.org.uk/namespaces/2005/10/types"

LARGE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i FROM n"


def test_results_show_themselves(sqlite):
    result = sqlite.query("SELECT 1 AS id, '<b>' AS name, NULL AS town UNION ALL SELECT 22, 'x', 'Oban'")
    assert repr(result) == "id  name  town\n1   <b>   NULL\n22  x     Oban\n[2 rows × 3 columns]"
    html = result._repr_html_()
    assert "<td>&lt;b&gt;</td><td><i>NULL</i></td>" in html
    assert "<caption>2 rows × 3 columns</caption>" in html
    assert repr(sqlite.query("SELECT 1 AS a WHERE 1 = 0")) == "a\n[0 rows × 1 columns]"
    assert "… 280 more" in repr(sqlite.query("SELECT i FROM (" + LARGE.replace("300000", "300") + ")"))


def test_frames_can_be_written_to(sqlite):
    frame = sqlite.query("SELECT 1 AS id, 0.5 AS ratio, 'x' AS name").to_pandas()
    frame.iloc[0, 0] = 7
    frame.loc[0, "ratio"] = 1.5
    frame["name"] = frame["name"] + "y"
    assert frame.iloc[0].tolist() == [7, 1.5, "xy"]


def test_long_transfers_show_a_bar_where_somebody_sees_it(stage, capsys, monkeypatch):
    with rejoin.connect(stage.service.url, "sqlite", progress=True) as service:
        service.query(LARGE)
        assert "rows:" in capsys.readouterr().err
    with rejoin.connect(stage.service.url, "sqlite") as service:
        service.query(LARGE)
        assert capsys.readouterr().err == ""
    # Without tqdm there is none, and nothing else changes.
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with rejoin.connect(stage.service.url, "sqlite", progress=True) as service:
        assert len(service.query(LARGE)) == 300_000
        assert capsys.readouterr().err == ""


def test_what_is_shown_stays_on_its_line(sqlite):
    """Values are data: they move no cursor, make no markup and fill no page."""
    result = sqlite.query("SELECT ? AS a, ? AS b, ? AS c", ["x\ny\x85\u202e\x7f", "<script>" + "y" * 10_000, b"\x00<i>"])
    lines = repr(result).split("\n")
    assert len(lines) == 3
    assert lines[1].startswith(r"x\ny\x85\u202e\x7f  <script>yyy")
    assert max(map(len, lines)) < 160
    html = result._repr_html_()
    assert "<script>" not in html
    assert "<i>" not in html
    assert len(html) < 1000
    odd = sqlite.query('SELECT 1 AS "<b>&"')
    assert "<th>&lt;b&gt;&amp;</th>" in odd._repr_html_()
    shown = sqlite.query("SELECT i FROM (" + LARGE.replace("300000", "300") + ")")._repr_html_()
    assert (shown.count("<tr>"), "300 rows × 1 columns, 20 of which are shown" in shown) == (21, True)


def test_everything_that_a_notebook_holds_shows_itself(stage, sqlite, table):
    sqlite.update(f"CREATE TABLE {table} (id INTEGER)")
    assert repr(sqlite) == f"<DataService {stage.service.url}/services/sqlite>"
    assert "<th>sqlite</th>" in sqlite._repr_html_()
    assert "<td>SQLite</td>" in sqlite._repr_html_()
    session = sqlite.session()
    session.set("town", "Oban")
    assert repr(session) == "<Session of 'sqlite'>"
    assert "<tr><td>attribute town</td><td>text</td></tr>" in session._repr_html_()
    assert "<tr><td>state</td><td>AVAILABLE</td></tr>" in session.status()._repr_html_()
    transaction = session.transaction()
    assert repr(transaction) == "<Transaction not begun>"
    with transaction:
        assert repr(transaction).endswith(", open>")
    cursor = session.cursor("SELECT 1 AS x")
    assert repr(cursor).startswith("<Cursor 'cursor-")
    cursor.fetch()
    assert repr(cursor).endswith(", at its end>")
    response = session.perform(Echo(text="<hello>").named("say"))
    assert repr(response) == "Response(status='COMPLETED', end_points=['say.output'])"
    assert "<td>say.output</td><td>COMPLETED</td>" in response._repr_html_()
    session.end()
    assert session._repr_html_() == "&lt;Session of &#x27;sqlite&#x27;, ended&gt;"
    with dbapi.connect(stage.service.url, "sqlite") as connection:
        connection.cursor().execute("SELECT 1")
        assert repr(connection) == "<rejoin.dbapi.Connection to 'sqlite', in a transaction>"
        assert repr(dbapi.NUMBER) == "NUMBER"
    # What can't be reached shows itself, too, and at once.
    with rejoin.connect("http://127.0.0.1:9", "nowhere") as service:
        assert "can&#x27;t be reached" in service._repr_html_()
        assert "can&#x27;t be reached" in service.join("an-id-of-before")._repr_html_()
    assert repr(rejoin.connect_async(stage.service.url, "sqlite")) == f"<AsyncDataService {stage.service.url}/services/sqlite>"


def test_errors_point_at_the_place(sqlite):
    def failing(document: str) -> rejoin.Fault:
        with pytest.raises(rejoin.Fault) as failed:
            sqlite.perform(f'<perform xmlns="{TYPES}">{document}</perform>')
        return failed.value

    # Tabs, letters outside of the ASCII set, and ends of lines that XML does not know stand before it.
    for before in ("\n", "\r\n\t", "\n<!-- \u2028\x85 é𝄞 --> \t"):
        fault = failing(f'{before}<echo name="a"><txt/></echo>')
        number, mark = fault.place.split("\n")
        assert fault.line == 2
        assert number.index("<txt/>") == mark.index("^")
        assert number.count("\t") == mark.count("\t")
        assert str(fault).split("\n")[1:] == [f"  {number}", f"  {mark}"]
    # Of a long line there is the part around it.
    fault = failing('<echo name="a"><text>' + "long " * 100 + "</text><txt/></echo>")
    number, mark = fault.place.split("\n")
    assert len(number) < 130
    assert number[mark.index("^") :].startswith("<txt/>")
    html = fault._repr_html_()
    assert html.startswith("<table><thead><tr><th>DocumentInvalid</th>")
    assert "&lt;txt/&gt;" in html
    assert "<txt" not in html
    with pytest.raises(rejoin.Fault) as failed:
        sqlite.query("SELECT\n  nothing\nFROM nowhere")
    assert "SELECT" in failed.value.place.split("\n")[0]
    assert "<td>yes</td>" in rejoin.errors.fault(rejoin.errors.FaultDetails("ServerBusy", "m", retryable=True))._repr_html_()


def test_errors_of_the_background_point_at_the_place(sqlite):
    pending = sqlite.submit(
        f'<perform xmlns="{TYPES}">\n<session/>\n  <refuse name="no"><message>not today</message></refuse>\n</perform>'
    )
    with pytest.raises(rejoin.Fault) as failed:
        pending.wait(60, poll=0.01)
    assert failed.value.document_line == '  <refuse name="no"><message>not today</message></refuse>'
    assert str(failed.value).split("\n")[-1] == "    |   ^"


@pytest.mark.parametrize("seen", [True, False])
def test_a_bar_comes_by_itself_where_somebody_sees_it(stage, capsys, monkeypatch, seen):
    monkeypatch.setattr("rejoin._progress.DELAY", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: seen, raising=False)
    csv = SqlResultsToCSV(result_set=SqlQueryStatement(expression=LARGE).result_stream)
    with rejoin.connect(stage.service.url, "sqlite") as service, service.session() as session:
        service.query(LARGE)
        shown = capsys.readouterr().err
        assert ("rows:" in shown) == seen
        session.raw(csv, csv.csv_output)
        assert ("csvOutput:" in capsys.readouterr().err) == seen
        with session.stream_query(LARGE) as rows:
            for _ in rows:
                pass
        assert ("rows:" in capsys.readouterr().err) == seen
        # What is short has none, whoever looks.
        session.increment("n")
        assert capsys.readouterr().err == ""


def test_no_bar_is_left_where_a_transfer_ends_early(stage, capsys):
    with rejoin.connect(stage.service.url, "sqlite", progress=True) as service, service.stream_query(LARGE) as rows:
        next(iter(rows))
    assert capsys.readouterr().err.endswith("\r")
    assert not tqdm.tqdm._instances


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A Python that has the package, what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    package = Path(__file__).parents[1]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package], check=True)
    return python


BARE = """
import asyncio, importlib.util, sys
import rejoin
from rejoin import aio, dbapi

URL = sys.argv[1]
assert [name for name in ("pyarrow", "pandas", "polars", "tqdm", "sqlalchemy", "numpy") if importlib.util.find_spec(name)] == []
with rejoin.connect(URL, "sqlite", progress=True) as service, service.session() as s:
    print(s.query("SELECT 1 + ?", [2]).scalar(), repr(s.query("SELECT 1 AS a")).splitlines()[0])
    for convert in ("to_pandas", "to_arrow", "to_polars"):
        try:
            getattr(s.query("SELECT 1"), convert)()
        except ImportError as error:
            print(error)
    with s.stream_query("SELECT 1 UNION SELECT 2") as rows:
        print(list(rows))
        try:
            rows.batches()
        except ImportError as error:
            print(error)
    with s.cursor("SELECT 7") as cursor:
        print(list(cursor))
print(dbapi.connect(URL, "sqlite").cursor().execute("SELECT 1").fetchall())

async def main():
    async with rejoin.connect_async(URL, "sqlite") as service, service.stream_query("SELECT 1 UNION SELECT 2") as rows:
        print([column.name for column in await rows.columns()], [row async for row in rows])

asyncio.run(main())
"""


def test_the_package_works_on_a_fresh_machine(stage, fresh, tmp_path):
    done = subprocess.run([fresh, "-c", BARE, stage.service.url], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "3 a",
        "to_pandas() needs pyarrow: pip install 'rejoin[arrow]'",
        "to_arrow() needs pyarrow: pip install 'rejoin[arrow]'",
        "to_polars() needs pyarrow: pip install 'rejoin[arrow]'",
        "[(1,), (2,)]",
        "batches() needs pyarrow: pip install 'rejoin[arrow]'",
        "[(7,)]",
        "[(1,)]",
        "['1'] [(1,), (2,)]",
    ]


def test_the_types_of_the_package_are_there_for_others(fresh, tmp_path):
    """`py.typed` is shipped, and a program is checked by it."""
    (tmp_path / "program.py").write_text(
        "import rejoin\n"
        "with rejoin.connect('http://localhost', 'orders') as service, service.session() as session:\n"
        "    reveal_type(session.query('SELECT 1'))\n"
        "    reveal_type(session.in_transaction(lambda tx: tx.update('DELETE FROM t')))\n"
        "    session.update(1)\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", fresh, "program.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert 'Revealed type is "rejoin.result.Result"' in lines[0]
    assert 'Revealed type is "' in lines[1]
    assert "int" in lines[1]
    assert 'Argument 1 to "update" of "Performer" has incompatible type "int"; expected "str"' in lines[2]
    assert len(lines) == 4


def test_activities_are_those_of_the_service():
    listed = subprocess.run([binary(), "activities", "--json"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this service can't list its activities")
    generator = Path(__file__).parents[1] / "generate_activities.py"
    done = subprocess.run([sys.executable, generator, "--check"], input=listed.stdout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
