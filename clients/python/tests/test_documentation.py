"""The blocks of the documentation run in their order, and print what stands there."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from pathlib import Path

import pytest

from servers import binary

DOCS = Path(__file__).parents[3] / "docs"
_BLOCKS = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@pytest.fixture
def demo(tmp_path):
    """`rejoin demo` on a port of its own."""
    process = subprocess.Popen(
        [binary(), "demo", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    )
    try:
        first = process.stdout.readline()
        found = re.search(r"http://(127\.0\.0\.1:\d+)", first)
        assert found, f"the demo says {first!r}"
        yield found[1]
    finally:
        process.terminate()
        process.wait(30)


def matches(printed: str, expected: str) -> bool:
    """Whether the text is what stands there, where `…` stands for anything within a line."""
    pattern = r"[^\n]*?".join(re.escape(piece) for piece in expected.split("…"))
    lines = "\n".join(line.rstrip() for line in printed.splitlines())
    return re.fullmatch(pattern, lines + "\n") is not None


def test_every_block_of_the_guide_runs(demo):
    text = (DOCS / "python.md").read_text()
    names: dict[str, object] = {}
    blocks = list(_BLOCKS.finditer(text))
    assert len(blocks) > 10
    for block in blocks:
        line = text[: block.start()].count("\n") + 2
        code = "\n" * (line - 1) + block["code"].replace("127.0.0.1:8080", demo)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "docs/python.md", "exec"), names)
        expected = block["printed"]
        if expected is not None:
            assert matches(printed.getvalue(), expected), f"docs/python.md:{line} printed\n{printed.getvalue()}"
    names["service"].close()
