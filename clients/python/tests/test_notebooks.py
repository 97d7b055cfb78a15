"""What is shown: results, progress; and that the package installs and is documented."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

import rejoin
from servers import binary

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


def test_the_package_installs_on_a_fresh_machine(stage, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    package = Path(__file__).parents[1]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package], check=True)
    program = (
        "import rejoin, sys\n"
        f"with rejoin.connect({stage.service.url!r}, 'sqlite') as service, service.session() as s:\n"
        "    print(s.query('SELECT 1 + ?', [2]).scalar())\n"
        "    try:\n"
        "        s.query('SELECT 1').to_pandas()\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
        "from rejoin import dbapi\n"
        f"print(dbapi.connect({stage.service.url!r}, 'sqlite').cursor().execute('SELECT 1').fetchall())\n"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == ["3", "to_pandas() needs pyarrow: pip install 'rejoin[arrow]'", "[(1,)]"]


def test_activities_are_those_of_the_service():
    listed = subprocess.run([binary(), "activities", "--json"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this service can't list its activities")
    generator = Path(__file__).parents[1] / "generate_activities.py"
    done = subprocess.run([sys.executable, generator, "--check"], input=listed.stdout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
