"""The servers of the tests: Rejoin itself, PostgreSQL and MariaDB, on free ports, with folders that are thrown away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

PASSWORD = "out-of-the-way"
USER = "rejoin"
PATIENCE = 60.0
NAMESPACE = "http://ogsadai.org.uk/namespaces/2005/10/config"


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until somebody listens."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nobody listens on port {port}: {log.read_text(errors='replace')[-2000:]}")


class Process:
    """A server process with its folder; both go at the end."""

    def __init__(self, name: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"rejoin-python-{name}-"))
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)
        return self.process

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _postgres_program(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    assert found, f"{name} is missing: scripts/test tools installs it"
    return found


class PostgreSQL(Process):
    """A PostgreSQL server with an empty database."""

    def __init__(self) -> None:
        super().__init__("postgres")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = str(self.folder / "data")
        initialise = [_postgres_program("initdb"), "--no-sync", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
        initialise += ["-U", USER, "--pwfile", str(secret), "-D", data]
        subprocess.run(_unprivileged() + initialise, check=True, capture_output=True, cwd="/")
        self.port = free_port()
        settings = ["fsync=off", "listen_addresses=127.0.0.1", "max_connections=200"]
        command = [_postgres_program("postgres"), "-D", data, "-p", str(self.port), "-k", str(self.folder)]
        for setting in settings:
            command += ["-c", setting]
        process = self.run(_unprivileged() + command)
        await_port(self.port, process, self.log)
        end = time.monotonic() + PATIENCE
        while subprocess.run(self._psql("SELECT 1"), capture_output=True, check=False, env=self._environment()).returncode:
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.05)

    def _psql(self, sql: str) -> list[str]:
        return ["psql", "-XqAt", "-h", "127.0.0.1", "-U", USER, "-p", str(self.port), "postgres", "-c", sql]

    @staticmethod
    def _environment() -> dict[str, str]:
        return {**os.environ, "PGPASSWORD": PASSWORD}

    def sql(self, sql: str) -> str:
        """Runs a statement by the database's own command."""
        done = subprocess.run(self._psql(sql), capture_output=True, check=True, text=True, env=self._environment())
        return done.stdout.strip()

    @property
    def uri(self) -> str:
        return f"postgres://{USER}@127.0.0.1:{self.port}/postgres"

    @property
    def direct(self) -> str:
        """For drivers that connect themselves."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"


class MariaDB(Process):
    """A MariaDB server with an empty database."""

    def __init__(self) -> None:
        super().__init__("mariadb")
        data = f"--datadir={self.folder / 'data'}"
        install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run([*install, data, f"--tmpdir={self.folder}"], check=True, capture_output=True)
        users = self.folder / "users.sql"
        users.write_text(
            "CREATE DATABASE IF NOT EXISTS orders;\n"
            f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
        )
        self.port = free_port()
        process = self.run(
            [
                "mariadbd",
                "--no-defaults",
                *(["--user=root"] if os.geteuid() == 0 else []),
                "--bind-address=127.0.0.1",
                "--skip-log-bin",
                "--skip-name-resolve",
                "--character-set-server=utf8mb4",
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-buffer-pool-size=64M",
                f"--port={self.port}",
                f"--tmpdir={self.folder}",
                data,
                f"--socket={self.folder / 'socket'}",
                f"--pid-file={self.folder / 'pid'}",
                f"--init-file={users}",
            ]
        )
        await_port(self.port, process, self.log)

    @property
    def uri(self) -> str:
        return f"mysql://{USER}@127.0.0.1:{self.port}/orders"


def binary() -> str:
    """The program: `REJOIN_BINARY`, or the debug build of the repository."""
    named = os.environ.get("REJOIN_BINARY")
    found = Path(named) if named else Path(__file__).parents[3] / "target" / "debug" / "rejoin"
    assert found.exists(), f"{found} is missing: `cargo build` makes it, or REJOIN_BINARY names one"
    return str(found)


class Rejoin(Process):
    """The service, over resources that are named by their URIs."""

    def __init__(
        self,
        resources: dict[str, str],
        *,
        authentication: str = "",
        session: str = "",
        files: dict[str, str] | None = None,
    ) -> None:
        super().__init__("service")
        (self.folder / "password").write_text(PASSWORD + "\n")
        for name, content in (files or {}).items():
            (self.folder / name).write_text(content)
        self.port = free_port()
        listed = ""
        for name, uri in resources.items():
            secret = "" if uri.startswith("sqlite:") else ' passwordFile="password"'
            configured = '<sessionConfiguration location="session.xml"/>' if session else ""
            (self.folder / f"{name}.xml").write_text(
                f'<dataServiceResourceConfiguration xmlns="{NAMESPACE}">{configured}'
                f"<dataResource uri={quoteattr(uri)}{secret}/></dataServiceResourceConfiguration>"
            )
            listed += f'<dataServiceResource name="{name}" location="{name}.xml"/>'
        if session:
            (self.folder / "session.xml").write_text(session)
        (self.folder / "service.xml").write_text(
            f'<dataServiceConfiguration xmlns="{NAMESPACE}"><listen address="127.0.0.1:{self.port}"/>'
            f"{authentication}{listed}</dataServiceConfiguration>"
        )
        self.start()

    def start(self) -> None:
        process = self.run([binary(), "serve", "--config", str(self.folder)])
        await_port(self.port, process, self.log)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
