"""How the service is reached: over TLS, compressed, by connections that are used again, and under another header."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading

import pytest
import sqlalchemy as sa

import rejoin
from rejoin import dbapi
from servers import NAMESPACE, Rejoin

LARGE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i, 'some text' AS t FROM n"


class Front:
    """Stands before the service, ends TLS where it has a certificate, and counts connections and bytes."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self._port, self._context = port, context
        self.connections = 0
        self.heads: list[bytes] = []
        self.answered = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

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
        try:
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
        except (OSError, ssl.SSLError):
            client.close()
            return
        self.connections += 1
        service = socket.create_connection(("127.0.0.1", self._port))
        back = threading.Thread(target=self._pump, args=(service, client, True), daemon=True)
        back.start()
        self._pump(client, service, False)
        service.close()
        back.join()
        client.close()

    def _pump(self, one: socket.socket, other: socket.socket, answers: bool) -> None:
        try:
            while data := one.recv(65536):
                if answers:
                    self.answered += len(data)
                else:
                    self.heads.append(data.partition(b"\r\n\r\n")[0].lower())
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def certificate(tmp_path):
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def test_a_service_behind_tls_is_reached_if_it_is_trusted(stage, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    front = Front(stage.service.port, context)
    trusted = ssl.create_default_context(cafile=str(certificate[0]))
    url = f"https://127.0.0.1:{front.port}"
    with rejoin.connect(url, "sqlite", verify=trusted) as service, service.session() as session:
        assert session.increment("n") == 1

    async def visit() -> int:
        async with rejoin.connect_async(url, "sqlite", verify=trusted) as service, service.session() as session:
            return await session.increment("n")

    assert asyncio.run(visit()) == 1
    engine = sa.create_engine(f"rejoin+sqlite://127.0.0.1:{front.port}/sqlite?tls=true", connect_args={"verify": trusted})
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    engine.dispose()
    # Whoever can't be trusted is told nothing, and not asked again.
    before = len(front.heads)
    with rejoin.connect(url, "sqlite", token="a-secret") as service, pytest.raises(rejoin.LostAnswer, match="CERTIFICATE") as lost:
        service.query("SELECT 1")
    assert not lost.value.may_have_run
    assert len(front.heads) == before
    front.close()


def test_answers_are_compressed_where_that_is_wanted(stage):
    sizes = []
    for compression in (None, True):
        front = Front(stage.service.port)
        with rejoin.connect(f"http://127.0.0.1:{front.port}", "sqlite", compression=compression) as service:
            assert len(service.query(LARGE)) == 50_000
            with service.stream_query(LARGE) as rows:
                assert sum(row[0] for row in rows) == sum(range(50_001))
        sizes.append(front.answered)
        assert (b"accept-encoding: identity" in front.heads[0]) == (compression is None)
        front.close()
    assert sizes[1] < sizes[0] / 2


def test_connections_are_used_again(stage):
    front = Front(stage.service.port)
    with rejoin.connect(f"http://127.0.0.1:{front.port}", "sqlite") as service, service.session() as session:
        for _ in range(20):
            session.increment("n")
        with session.stream_query("SELECT 1") as rows:
            list(rows)
        with pytest.raises(rejoin.Fault):
            session.query("SELECT * FROM nowhere")
        assert session.get("n") == 20
    assert front.connections == 1
    with dbapi.connect(f"http://127.0.0.1:{front.port}", "sqlite") as connection:
        for _ in range(20):
            connection.cursor().execute("SELECT 1").fetchall()
    assert front.connections == 2
    front.close()


def test_the_session_travels_under_the_name_that_the_service_has_for_it():
    configured = (
        f'<sessionConfiguration xmlns="{NAMESPACE}">'
        '<sessionManagerFactory impl="rejoin.TransientSessionManagerFactory"><carrier header="X-Our-Session"/>'
        '<sessionAttribute name="transactionManager" impl="rejoin.TransactionManager"/></sessionManagerFactory>'
        "</sessionConfiguration>"
    )
    service = Rejoin({"orders": "sqlite:orders.db?mode=rwc"}, session=configured)
    try:
        with rejoin.connect(service.url, "orders", session_header="X-Our-Session") as client, client.session() as session:
            assert [session.increment("n"), session.increment("n")] == [1, 2]
            assert session.submit('<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types"/>').status().state
        with dbapi.connect(service.url, "orders", session_header="X-Our-Session") as connection:
            connection.cursor().execute("CREATE TABLE t (a INTEGER)")
    finally:
        service.stop()
