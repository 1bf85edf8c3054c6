"""`manage.py up`: everything that mops needs, from an empty folder to a page that answers, until Ctrl-C."""

import contextlib
import errno
import hashlib
import importlib
import importlib.util
import os
import shlex
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.utils import DatabaseError, NotSupportedError, OperationalError

from mops.children import PROJECT, Child, Household
from mops.command_line import ADDRESS
from mops.db.embedded.files import write_private
from mops.settings.current import ENV
from mops.settings.secrets import prepare_home

SIGN_INS = "apps.accounts.demo"  # its SIGN_INS: (role, e-mail, password)
DEATHS_BEFORE_GIVING_UP = 5
PORTS = 65536
FIRST_PERSON = (
    "Nobody can sign in yet. In another terminal, in this folder, make the first administrator:\n"
    '  {home}python3 manage.py create_admin --email you@example.com --name "Your Name"'
)
STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    """Prepares the home folder, the database and the demo, then runs web server and worker."""

    help = "Runs mops: prepares what is missing, then web server and worker until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of `manage.py up --help`."""
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: this machine only).")
        parser.add_argument("--port", type=int, default=8000, help="Port to listen on; 0 takes a free one.")
        parser.add_argument("--empty", action="store_true", help="Load no demo data.")
        parser.add_argument("--no-worker", action="store_true", help="Run no background jobs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the port first, so that nothing is half done when it is taken."""
        with take_port(options["host"], options["port"]) as listener:
            try:
                prepare_home(ENV.home)
                self._prepare_database(empty=options["empty"])
                self._collect_static_files()
                self._run(listener, worker=not options["no_worker"])
            except (DatabaseError, NotSupportedError) as error:
                raise CommandError(f"{str(error).strip()}{way_out_of(error)}") from error
            except OSError as error:
                raise CommandError(in_words(error)) from error

    def _prepare_database(self, *, empty: bool) -> None:
        self._say("mops: preparing the database …")
        began = time.monotonic()
        connections["default"].ensure_connection()
        call_command("migrate", verbosity=0, interactive=False)
        self._say(f"mops: the database is ready ({time.monotonic() - began:.1f} s).")
        if empty or not settings.DEMO or is_anybody_here():
            return
        self._say("mops: loading the demo data (once) …")
        call_command("load_demo", stdout=self.stdout, stderr=self.stderr)

    def _collect_static_files(self) -> None:
        """Only where the web server reads collected files, and only when one of them has changed."""
        if not settings.STATIC_ROOT:
            return
        state = hashlib.sha256(str(settings.STATIC_ROOT).encode())
        for finder in get_finders():
            for path, storage in finder.list([]):
                status = (storage.path(path), storage.size(path), storage.get_modified_time(path))
                state.update(repr(status).encode())
        stamp = ENV.home / "static-files"
        if stamp.exists() and stamp.read_text() == state.hexdigest():
            return
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(state.hexdigest())

    def _run(self, listener: socket.socket, *, worker: bool) -> None:
        if "MOPS_IMPORT_FOLDERS" not in os.environ:  # then it is ours: a form offers it, so it is there
            (ENV.home / "imports").mkdir(exist_ok=True)
        if settings.DEBUG and not demo_sign_ins():
            os.environ.setdefault("MOPS_BADGE", "Trial")  # nobody's demo: what is in here was put in by people
        if settings.DEBUG:
            os.environ.setdefault("MOPS_PUBLIC_URL", address_to_open(listener))  # what links in mails begin with
            write_private(ENV.home / ADDRESS, os.environ["MOPS_PUBLIC_URL"])
        children = [web_server(listener)]
        if worker:
            children.append(Child("worker", [sys.executable, str(PROJECT / "manage.py"), "worker"]))
        connections.close_all()
        household = Household(children, self._say, logs=ENV.home / "logs")
        signals = Signals()
        with signals.caught():
            try:
                self._look_after(household, children[0], listener, signals)
            finally:
                self._say("mops: stopping …")
                household.stop(is_urgent=lambda: signals.count > 1)
                (ENV.home / ADDRESS).unlink(missing_ok=True)
                self._say("mops: stopped.")

    def _look_after(self, household: Household, web: Child, listener: socket.socket, signals: "Signals") -> None:
        is_ready = False
        while not signals.stop.wait(0.1):
            household.look_after()
            if not is_ready and answers(listener):
                is_ready = True
                self._announce(listener)
            if not is_ready and web.deaths >= DEATHS_BEFORE_GIVING_UP:
                raise CommandError(f"The web server does not start; {self._last_words('web-server')}")

    def _announce(self, listener: socket.socket) -> None:
        for role, email, password in demo_sign_ins():
            self._say(f"  {role:32} {email:32} {password}")
        if not is_anybody_here():
            home = os.environ.get("MOPS_HOME")
            self._say(FIRST_PERSON.format(home=f"MOPS_HOME={shlex.quote(home)} " if home else ""))
        self._say(f"Logs: {ENV.home / 'logs'}")
        self._say(f"Ready: {address_to_open(listener)}  (Ctrl-C stops it)")

    def _last_words(self, child: str) -> str:
        log = ENV.home / "logs" / f"{child}.log"
        lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        return f"the end of {log} says why:\n" + "\n".join(lines)

    def _say(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # whoever read what we print has gone; go on serving
            self.stdout.write(text)
            self.stdout.flush()


class Signals:
    """The wish to stop, and how often it was uttered: the second time there is no more waiting."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.stop = threading.Event()
        self.count = 0

    @contextlib.contextmanager
    def caught(self) -> Any:
        """Count instead of ending the process."""
        before = {number: signal.signal(number, self._note) for number in STOPPED_BY}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        self.count += 1
        self.stop.set()


def take_port(host: str, port: int) -> socket.socket:
    """A listening socket, held by `up` itself so that a web server that restarts refuses nobody.

    Raises:
        CommandError: with exit code 2 and what to do instead.
    """
    if not 0 <= port < PORTS:
        raise CommandError(f"{port} is no port; use --port 8000 or another number below {PORTS}.", returncode=2)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CommandError(
            f"{host}:{port} is no address of this machine; use --host 127.0.0.1.", returncode=2
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        reasons = {
            errno.EADDRINUSE: f"Port {port} is taken by another program; use --port {port + 1}, or stop that program.",
            errno.EACCES: f"Port {port} is for root only; use --port 8000 or another one above 1023.",
            errno.EADDRNOTAVAIL: f"{host} is no address of this machine; use --host 127.0.0.1.",
        }
        raise CommandError(reasons.get(error.errno or 0, f"Port {port}: {error}."), returncode=2) from error
    return listener


def web_server(listener: socket.socket) -> Child:
    """Gunicorn with threads, on the socket that `up` holds."""
    options = {
        "worker-class": "gthread",
        "workers": "1",
        "threads": "8",
        "bind": f"fd://{listener.fileno()}",
        "graceful-timeout": "8",
        "timeout": "60",
        "log-level": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-m", "gunicorn", "mops.wsgi", "--no-control-socket", *flags]
    return Child("web server", command, handles=[listener.fileno()])


def url_of(listener: socket.socket) -> str:
    """The address at which this machine reaches the server."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # recognised, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def address_to_open(listener: socket.socket) -> str:
    """The address to open in a browser of this machine: by name, because passkeys are refused to bare numbers."""
    host, port = listener.getsockname()[:2]
    named = host in ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104  # recognised, not bound
    return f"http://localhost:{port}" if named else url_of(listener)


def answers(listener: socket.socket) -> bool:
    """Whether the web server says that it is well."""
    try:
        with urllib.request.urlopen(f"{url_of(listener)}/healthz", timeout=1) as response:  # noqa: S310  # our own
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def is_anybody_here() -> bool:
    """Whether there is a person who works in the back office."""
    found = bool(get_user_model()._default_manager.filter(is_staff=True).exists())
    connections.close_all()
    return found


def demo_sign_ins() -> list[tuple[str, str, str]]:
    """The demo's people that are in this database, with the passwords they were made with."""
    if importlib.util.find_spec(SIGN_INS) is None:
        return []
    listed: list[tuple[str, str, str]] = importlib.import_module(SIGN_INS).SIGN_INS
    people = get_user_model()._default_manager.filter(email__in=[email for _, email, _ in listed], is_active=True)
    present = set(people.values_list("email", flat=True))
    connections.close_all()
    return [entry for entry in listed if entry[1] in present]


def way_out_of(error: Exception) -> str:
    """What to do about a server that somebody else runs and that does not answer."""
    if not isinstance(error, OperationalError) or "FOLDER" in connections["default"].settings_dict:
        return ""
    return "\nThat is the server in DATABASE_URL: start it, correct the address, or unset it to use mops's own."


def in_words(error: OSError) -> str:
    """What the file system refused, and the way out."""
    ways_out = {
        errno.ENOSPC: "the disk is full; make room, then run this again.",
        errno.EACCES: "this account may not; give it the folder (chown -R), or set MOPS_HOME to another one.",
        errno.EROFS: "that is on a read-only file system; set MOPS_HOME to a folder that can be written.",
    }
    return f"{error.filename or ENV.home}: {ways_out.get(error.errno or 0, error.strerror or str(error))}"
