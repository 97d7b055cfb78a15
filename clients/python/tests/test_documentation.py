"""The blocks of the documentation run in their order, and print what stands there."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import uuid
from pathlib import Path

import pytest

import rejoin
from servers import binary

DOCS = Path(__file__).parents[3] / "docs"
_BLOCKS = re.compile(r"^```(?P<words>[a-z ]+)\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@contextlib.contextmanager
def started_demo(folder):
    """`rejoin demo` on a port of its own; gives its host and port."""
    process = subprocess.Popen(
        [binary(), "demo", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder
    )
    try:
        first = process.stdout.readline()
        found = re.search(r"http://(127\.0\.0\.1:\d+)", first)
        assert found, f"the demo says {first!r}"
        yield found[1]
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def demo(tmp_path):
    with started_demo(tmp_path) as address:
        yield address


def matches(printed: str, expected: str) -> bool:
    """Whether the text is what stands there, where `…` stands for anything within a line, and XML is indented as it likes."""
    if expected.lstrip().startswith("<"):
        printed, expected = (re.sub(r">\s+<", "><", each.strip()) for each in (printed, expected))
    pattern = r"[^\n]*?".join(re.escape(piece) for piece in expected.rstrip().split("…"))
    lines = "\n".join(line.rstrip() for line in printed.splitlines())
    return re.fullmatch(pattern, lines.rstrip()) is not None


def blocks(name: str) -> list[tuple[int, str, str, str | None]]:
    """The blocks of a page: line, words, text, and what has to be printed."""
    text = (DOCS / name).read_text()
    found = [
        (text[: block.start()].count("\n") + 2, block["words"], block["code"], block["printed"]) for block in _BLOCKS.finditer(text)
    ]
    assert len(found) >= 5
    return found


def run_python(page: str, line: int, code: str, names: dict[str, object]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * (line - 1) + code, f"docs/{page}", "exec"), names)
    return printed.getvalue()


class Shell:
    """One shell for all blocks of a page, so that variables stay."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=DOCS.parent)

    def run(self, code: str) -> str:
        end = f"end-{uuid.uuid4()}"
        self._process.stdin.write(f"{code}\necho\necho {end}\n")
        self._process.stdin.flush()
        lines = iter(self._process.stdout.readline, f"{end}\n")
        return "".join(lines).rstrip("\n") + "\n"

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@pytest.mark.parametrize("page", ["python.md", "tutorial.md"])
def test_every_block_of_a_page_runs(demo, page, tmp_path):
    names: dict[str, object] = {}
    shell = Shell()
    try:
        for line, words, written, expected in blocks(page):
            code = written.replace("127.0.0.1:8080", demo).replace("/tmp/", f"{tmp_path}/")
            if words == "python":
                printed = run_python(page, line, code, names)
            elif words == "sh run":
                printed = shell.run(code)
            else:
                continue
            assert expected is None or matches(printed, expected), f"docs/{page}:{line} printed\n{printed}"
    finally:
        shell.close()
        if isinstance(names.get("service"), rejoin.DataService):
            names["service"].close()


def test_the_program_of_the_tutorial_is_the_example(demo):
    text = (DOCS / "tutorial.md").read_text()
    shown = re.search(r"^```rust\n(?P<code>.*?)^```\n.*?^```text\n(?P<printed>.*?)^```\n", text, re.MULTILINE | re.DOTALL)
    example = (DOCS.parent / "examples" / "tutorial.rs").read_text()
    assert example.endswith(f"\n\n{shown['code']}")
    program = Path(binary()).parent / "examples" / "tutorial"
    if not program.exists():
        pytest.skip("cargo build --example tutorial makes the program")
    done = subprocess.run([program, f"http://{demo}"], capture_output=True, text=True, check=True)
    assert done.stdout == shown["printed"]
