"""One private PostgreSQL server in one folder, shared by every process of the project.

The first process that connects starts it; when the last one has gone, the reaper stops it. In the folder: `data` (the
cluster, its Unix socket and its log), `secrets` (a password a role), `lock` (one process at a time changes anything),
`lease` (held shared by every user), `location` (where the data is, when it had to go elsewhere).
"""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from . import cluster, postmaster, reaper
from .account import Place, data_of, settle
from .errors import EmbeddedPostgresError, explained, in_words
from .files import make_folder, open_private
from .postmaster import Address

START_SECONDS = 120.0  # a crash recovery may take its time
RETRY_SECONDS = 20.0  # after a kill, children of the old server need a moment to let go of its shared memory
SOCKET_PATH_MAX = 85  # sun_path is 104 bytes on macOS, 108 on Linux, and the socket's own name takes 14
LOG_BYTES_MAX = 10_000_000
BUFFERS_MB = (128, 1024)  # what PostgreSQL takes by itself, and what is enough for a million leads
LAUNCH = '"$@" </dev/null >>"$0" 2>&1 & echo $!'  # by way of a shell: the server must not be our child


class Server:
    """The server of one folder."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.durable = durable
        self._lease: int | None = None  # a bare handle: it is meant to stay open until the process ends
        self._guard = threading.Lock()

    def known(self) -> Address | None:
        """Where the server was last seen, without asking it; makes this process one of its users."""
        with explained(self.folder):
            self._take_lease()
            return postmaster.address_of(data_of(self.folder))

    def password(self, role: str) -> str:
        """The password of a role."""
        with explained(self.folder):
            return cluster.password_of(self.folder, role)

    def ensure(self) -> Address:
        """Make and start the server if need be; returns where it listens. Many processes may ask at once."""
        with explained(self.folder):
            self._take_lease()
            if address := self._ready():
                return address
            with self._locked():
                return self._ready() or self._bring_up()

    def stop(self) -> bool:
        """Stop the server, whoever uses it; False if none ran."""
        if not self.folder.is_dir():
            return False
        with explained(self.folder), self._locked():
            return postmaster.stop(data_of(self.folder))

    def let_go(self) -> None:
        """Stop being a user of the server; the next connection makes this process one again."""
        with self._guard:
            if self._lease is not None:
                os.close(self._lease)
                self._lease = None

    def is_running(self) -> bool:
        """Whether the server runs; starts nothing."""
        with explained(self.folder):
            return postmaster.is_running(data_of(self.folder))

    # --- bringing it up; all of this under the lock -----------------------------------------------------------------

    def _bring_up(self) -> Address:
        place = settle(self.folder)
        if not (place.data / "PG_VERSION").exists():
            cluster.make_cluster(self.folder, place, durable=self.durable)
        cluster.check_major(place)
        address = self._start(place)
        if not cluster.is_laid_out(self.folder):
            cluster.make_roles(self.folder, address)
        if not reaper.is_on_duty(self.folder):
            reaper.spawn(self.folder)
        return address

    def _start(self, place: Place) -> Address:
        over_tcp = len(os.fsencode(place.data)) > SOCKET_PATH_MAX
        give_up, retry_until = time.monotonic() + START_SECONDS, time.monotonic() + RETRY_SECONDS
        while not postmaster.is_running(place.data):
            postmaster.forget_stale_lock(place.data)
            log = place.data / "server.log"
            seen = log.stat().st_size if log.exists() and log.stat().st_size < LOG_BYTES_MAX else 0
            if self._wait_for(place, self._launch(place, over_tcp=over_tcp, fresh_log=not seen), give_up):
                break
            with log.open(errors="replace") as handle:
                handle.seek(seen)
                said = handle.read()
            if not over_tcp and "could not create any Unix-domain sockets" in said:
                over_tcp = True  # some network and container file systems have no sockets
            elif time.monotonic() > retry_until or not _passes(said):
                raise EmbeddedPostgresError(in_words(said, place.data))
            time.sleep(0.2)
        if not self._wait_for(place, postmaster.pid_of(place.data), give_up):
            raise EmbeddedPostgresError(
                f"PostgreSQL in {place.data} did not answer within {START_SECONDS:.0f} seconds; "
                "its file server.log there says what it is doing. Run this again to go on waiting."
            )
        return postmaster.address_of(place.data) or Address(str(place.data), postmaster.PORT)

    def _wait_for(self, place: Place, pid: int | None, give_up: float) -> bool:
        """Wait until the server answers; False when its process ended or time is up."""
        while time.monotonic() < give_up:
            address = postmaster.address_of(place.data)
            if address and cluster.answers(self.folder, address, cluster.SUPERUSER, "postgres"):
                return True
            if pid is None or not postmaster.is_alive(pid):
                return False
            time.sleep(0.05)
        return False

    def _launch(self, place: Place, *, over_tcp: bool, fresh_log: bool) -> int:
        log = place.data / "server.log"
        if fresh_log:
            log.unlink(missing_ok=True)
        settings = {
            "listen_addresses": "127.0.0.1" if over_tcp else "",
            "port": str(_free_port() if over_tcp else postmaster.PORT),
            "unix_socket_directories": "" if over_tcp else ".",
            "unix_socket_permissions": "0700",
            # what people typed stays out of the log: no statements, no key values of a violated constraint
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            # recording a bulk change joins what was with what is: beyond 4 MB that would go through files
            "work_mem": "16MB",
            "shared_buffers": f"{buffers_mb()}MB",
        }
        if sys.platform == "linux":
            # after a kill, one call instead of one a file: seconds on a busy machine
            settings["recovery_init_sync_method"] = "syncfs"
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = [str(place.binaries / "postgres"), "-D", str(place.data), *options]
        done = subprocess.run(
            ["/bin/sh", "-c", LAUNCH, str(log), *program],
            cwd="/",
            env=cluster.ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            start_new_session=True,
            umask=0o077,
            **(place.account.popen_arguments() if place.account else {}),
        )
        return int(done.stdout)

    # --- sharing it -------------------------------------------------------------------------------------------------

    def _ready(self) -> Address | None:
        address = postmaster.address_of(data_of(self.folder))
        if not address or not cluster.is_laid_out(self.folder):
            return None
        return address if cluster.answers(self.folder, address, cluster.SERVING, cluster.DATABASE) else None

    def _take_lease(self) -> None:
        with self._guard:
            if self._lease is not None:
                return
            make_folder(self.folder)
            self._open("reaper").close()  # all three made here, so that each belongs to the folder's owner
            self._open("lock").close()
            with self._open("lease") as lease:
                self._lease = os.dup(lease.fileno())
            fcntl.flock(self._lease, fcntl.LOCK_SH)
        if postmaster.pid_of(data_of(self.folder)) and not reaper.is_on_duty(self.folder):
            reaper.spawn(self.folder)  # the one that there was has been killed

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._open("lock") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _open(self, name: str) -> IO[str]:
        return open_private(self.folder / name)


def buffers_mb() -> int:
    """Return how many megabytes of pages the server keeps: a sixteenth of the machine, for it is not alone there.

    With PostgreSQL's own 128 MB an import of a million leads spends a tenth of its time on handing pages to the system.
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # a system that does not tell
        memory = 0
    least, most = BUFFERS_MB
    return min(max(memory // 16 // 2**20, least), most)


def _passes(said: str) -> bool:
    """Whether what a server said on its way out is known to pass by itself, or it was killed and said nothing."""
    signs = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists', "Address already in use")
    # "FATAL: the database system is starting up" is what it says to clients, not why it ended
    own = [line for line in said.splitlines() if ("FATAL" in line or "PANIC" in line) and "system is" not in line]
    return not own or any(sign in line for line in own for sign in signs)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
