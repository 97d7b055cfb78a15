"""What `connect` is given, read once for both kinds of clients."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from ._exchange import header_value
from ._redaction import install
from ._secret import Secret


@dataclass(frozen=True)
class Options:
    """How to reach a resource."""

    base: str
    path: str
    auth: tuple[str, str] | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    verify: bool | ssl.SSLContext = True
    timeout: float = 330.0
    compression: bool | None = None
    session_header: str = "Rejoin-Session"
    transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None

    @property
    def resource(self) -> str:
        """The name of the resource."""
        return unquote(self.path.rsplit("/", 1)[1])

    def http(self) -> dict[str, Any]:
        """The settings of an httpx client."""
        install(self.session_header)
        headers = {"User-Agent": "rejoin-python/0.1"}
        if self.token is not None:
            headers["Authorization"] = Secret(f"Bearer {self.token}")
        host = urlsplit(self.base).hostname or ""
        # On the machine itself compressing takes longer than sending.
        nearby = host in ("localhost", "::1") or host.startswith("127.")
        if not (self.compression if self.compression is not None else not nearby):
            headers["Accept-Encoding"] = "identity"
        settings: dict[str, Any] = {
            "base_url": self.base,
            "headers": headers,
            "auth": self.auth,
            # Reading the certificates of the system takes longer than a request.
            "verify": self.verify if self.base.startswith("https:") else False,
            "timeout": httpx.Timeout(self.timeout, connect=10.0),
            "follow_redirects": False,
        }
        if self.transport is not None:
            settings["transport"] = self.transport
        return settings


def options(
    url: str,
    resource: str | None,
    auth: tuple[str, str] | None,
    **more: Any,
) -> Options:
    """Reads the address: `http://host:port` and a resource, or `http://host:port/services/resource`.

    A user and a password in it are taken out of it, so that they stand in no message.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address of a service is like http://127.0.0.1:8080 or http://127.0.0.1:8080/services/orders")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    base = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    if more.get("token") is not None:
        more["token"] = header_value("a token", more["token"])
    if parts.username is not None and auth is None:
        auth = (unquote(parts.username), Secret(unquote(parts.password or "")))
    path = parts.path.rstrip("/")
    if resource is not None:
        path = path.removesuffix("/services") + "/services/" + quote(resource, safe="")
    elif "/services/" not in path:
        raise ValueError("which resource? pass its name, as in connect(url, 'orders'), or end the address with /services/orders")
    return Options(base=base, path=path, auth=auth, **more)
