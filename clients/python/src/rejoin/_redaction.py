"""Keeps secrets out of the log of the HTTP library, which writes headers at its most talkative level."""

from __future__ import annotations

import logging
import re

_LOGGERS = ("httpcore.http11", "httpcore.http2", "httpcore.connection", "httpcore.proxy", "httpx", "hpack.hpack")


class _Redact(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self.headers = {"rejoin-session", "authorization", "idempotency-key", "cookie", "set-cookie"}

    def filter(self, record: logging.LogRecord) -> bool:
        names = "|".join(re.escape(name) for name in self.headers)
        text = record.getMessage()
        hidden = re.sub(rf"""(b?['"](?:{names})['"], b?)(['"]).*?\2""", r"\1\2…\2", text, flags=re.IGNORECASE)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


_redact = _Redact()


def install(session_header: str) -> None:
    """Hides the values of these headers, and of this one, in what the HTTP library logs."""
    _redact.headers.add(session_header.lower())
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_redact)
