"""A progress bar on transfers that take long: tqdm's, where it is installed and somebody is there to see it."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

#: After how many seconds a bar appears by itself.
DELAY = 1.0


class Bar(Protocol):
    """What a transfer tells of itself."""

    def update(self, n: int) -> object:
        """So many bytes more have come."""


class _Silent:
    def update(self, n: int) -> None:
        pass


def bar(what: str | None, total: int | None, wanted: bool | None) -> AbstractContextManager[Bar]:
    """A bar of bytes. `wanted` decides; when it is None, a terminal or a notebook does. It appears after a second."""
    if what is None or wanted is False:
        return nullcontext(_Silent())
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return nullcontext(_Silent())
    if wanted is None and not _somebody_sees_it():
        return nullcontext(_Silent())
    delay = 0.0 if wanted else DELAY
    shown: Any = tqdm(desc=what, total=total, unit="B", unit_scale=True, delay=delay, leave=False)
    return shown  # type: ignore[no-any-return]


def _somebody_sees_it() -> bool:
    return "ipykernel" in sys.modules or sys.stderr.isatty()
