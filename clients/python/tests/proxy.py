"""A proxy that breaks connections at moments that a test chooses: before, in and after the answer."""

from __future__ import annotations

import enum
import socket
import threading
from collections import deque


class Break(enum.Enum):
    """When to break the connection of the next request."""

    BEFORE_REQUEST = "before anything of the request went on"
    IN_REQUEST = "when half of the request went on"
    BEFORE_ANSWER = "when the service has the request, and has not answered"
    IN_ANSWER = "in the middle of the answer"
    AFTER_ANSWER = "when the service has answered whole, and the client has nothing of it"
    LATE = "when all but the last byte was handed on"


class Proxy:
    """Forwards connections, one request each, and breaks those that it was told to.

    Each exchange has a connection of its own at both ends, so that the moments are exact: the service closes when it is done.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._breaks: deque[Break] = deque()
        self._lock = threading.Lock()
        self.requests: list[bytes] = []
        self.broken: list[Break] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def breaks(self, *moments: Break) -> None:
        """The next exchanges break at these moments, one after the other."""
        with self._lock:
            self._breaks.extend(moments)

    @property
    def left(self) -> int:
        """How many breaks are still to come."""
        with self._lock:
            return len(self._breaks)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            request = _message(client)
            if not request:
                return
            with self._lock:
                moment = self._breaks.popleft() if self._breaks else None
                self.requests.append(request)
                if moment is not None:
                    self.broken.append(moment)
            if moment is Break.BEFORE_REQUEST:
                return
            head, _, body = request.partition(b"\r\n\r\n")
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            sent = b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body
            with socket.create_connection(("127.0.0.1", self._port)) as service:
                if moment is Break.IN_REQUEST:
                    service.sendall(sent[: len(sent) // 2])
                    return
                service.sendall(sent)
                if moment is Break.BEFORE_ANSWER:
                    return
                answer = b""
                while chunk := service.recv(65536):
                    answer += chunk
            if moment is Break.AFTER_ANSWER:
                return
            if moment is Break.IN_ANSWER:
                answer = answer[: len(answer) // 2]
            if moment is Break.LATE:
                answer = answer[:-1]
            client.sendall(answer)


def _message(client: socket.socket) -> bytes:
    """One HTTP request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        chunk = client.recv(65536)
        if not chunk:
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body
