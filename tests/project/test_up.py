"""`manage.py up` and `manage.py db` as a person runs them: from an empty folder, killed in every way."""

import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest
from django.core.management.base import CommandError

from apps.core.management.commands.up import take_port
from mops import undertaker
from mops.children import Child, Household, pause_before
from mops.db.dumps import DumpError, Target, dump, restore
from mops.db.embedded import account, postmaster
from mops.db.embedded.binaries import find_binaries
from mops.db.embedded.cluster import connect
from mops.db.embedded.server import Server

PROJECT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(PROJECT / "manage.py")]
START_SECONDS = 300.0


@pytest.fixture(scope="module")
def home():
    """A home folder of its own, empty at first, shared by the tests of this module."""
    path = Path(tempfile.mkdtemp(prefix="mops-up-", dir="/tmp"))
    path.chmod(0o711)
    yield path / "var"
    folder = path / "var" / "postgres"
    if folder.is_dir():
        postmaster.stop(account.data_of(folder))
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def environment(home):
    """The environment of somebody who has only just unpacked mops."""
    foreign = ("DATABASE_URL", "MIGRATE_DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "DEBUG")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return kept | {"MOPS_HOME": str(home), "MOPS_PG_LINGER": "5", "PYTHONUNBUFFERED": "1"}


class Running:
    """A `manage.py up`."""

    def __init__(self, environment, *options):
        command = [*MANAGE, "up", "--port", "0", "--empty", "--no-worker", *options]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        assert wait_until(lambda: self.said("Ready: ") or self.process.poll() is not None, START_SECONDS), self.lines
        assert self.process.poll() is None, "".join(self.lines)
        self.url = re.search(r"Ready: (\S+)", "".join(self.lines)).group(1)
        self.port = int(self.url.rpartition(":")[2])
        marks = Path(f"/proc/{self.children()[-1]}/environ").read_bytes().split(b"\0")
        self.token = next(mark for mark in marks if mark.startswith(b"MOPS_UP=")).decode().partition("=")[2]

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
        self.process.stdout.close()

    def said(self, text):
        return any(text in line for line in self.lines)

    def children(self, like="gunicorn"):
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), "-f", like], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def is_gone(self):
        return not undertaker.marked(self.token) and is_free(self.port)


@pytest.fixture
def start(environment):
    """Runs `up`, and makes sure that it is gone after the test."""
    started = []

    def run(*options):
        started.append(Running(environment, *options))
        return started[-1]

    yield run
    for one in started:
        with contextlib.suppress(ProcessLookupError):
            one.process.send_signal(signal.SIGTERM)
        one.process.wait(60)
        one.reader.join(10)


def wait_until(fact, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.03)
    return fact()


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def status(url, timeout=60):
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:  # noqa: S310  # our own
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def manage(environment, *arguments, answer=""):
    return subprocess.run([*MANAGE, *arguments], env=environment, input=answer, capture_output=True, text=True)


def execute(server, statement):
    with connect(server.ensure(), "mops", server.password("mops"), "mops") as session:
        found = session.execute(statement)
        return found.fetchone()[0] if found.description else None


def test_from_an_empty_folder_to_a_page_and_every_kill_on_the_way(start, home, environment, proof):
    up = start()
    assert status(f"{up.url}/healthz") == 200
    assert status(f"{up.url}/readyz") == 200
    assert stat.S_IMODE(home.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600
    assert up.said(f"MOPS_HOME={home} python3 manage.py create_admin")
    assert (home / "address").read_text() == up.url
    assert b"MOPS_BADGE=Trial" in Path(f"/proc/{up.children()[-1]}/environ").read_bytes()  # no demo company, no demo

    for _ in range(
        5 if proof else 1
    ):  # the web server, all of it: the port stays, the next request waits and is served
        web = up.children()[-1]
        os.killpg(web, signal.SIGKILL)
        assert status(f"{up.url}/healthz") == 200
        assert wait_until(lambda gone=web: up.children() not in ([], [gone]))
    assert up.said("the web server was killed by signal 9; it starts again in 0.5 seconds")

    for _ in range(5 if proof else 1):  # the database: whoever asks next starts it
        os.kill(postmaster.pid_of(account.data_of(home / "postgres")), signal.SIGKILL)
        assert wait_until(lambda: status(f"{up.url}/readyz") == 200)

    taken = manage(environment, "up", "--port", str(up.port))
    assert taken.returncode == 2
    assert f"Port {up.port} is taken by another program; use --port {up.port + 1}" in taken.stderr
    assert taken.stdout == ""

    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(60) == 0
    assert up.is_gone()
    assert not up.said("Traceback")
    assert not (home / "address").exists()


def test_killed_up_leaves_nothing_behind_and_starts_again(start):
    up = start()
    watcher = up.children("undertaker")
    os.kill(watcher[0], signal.SIGKILL)  # first the one that is to clean up: it is replaced
    assert wait_until(lambda: up.children("undertaker") not in ([], watcher))
    up.process.kill()
    assert wait_until(up.is_gone), undertaker.marked(up.token)


def test_dump_and_restore_bring_everything_back(environment, home, tmp_path):
    file, server = tmp_path / "mops.dump", Server(home / "postgres")
    assert manage(environment, "migrate", "-v0").returncode == 0
    made = manage(environment, "db", "dump", str(file))
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    try:
        execute(server, "insert into auth_group (name) values ('after the dump')")
        refused = manage(environment, "db", "restore", str(file), answer="no\n")
        assert "is lost" in refused.stdout
        assert "Nothing was changed" in refused.stderr

        address = server.ensure()
        facts = {"host": address.host, "port": address.port, "user": "mops_owner", "dbname": "mops"}
        target = Target(facts | {"password": server.password("mops_owner")}, find_binaries())
        with pytest.raises(DumpError, match="is there already"):
            dump(target, file)
        (tmp_path / "half").write_bytes(file.read_bytes()[:30_000])
        (tmp_path / "cut").write_bytes(file.read_bytes()[:-2_000])
        (tmp_path / "other").write_text("id,name\n")
        for name, sentence in (("half", "damaged"), ("cut", "failed"), ("other", "is no dump of mops"), ("no", "read")):
            with pytest.raises(DumpError, match=sentence):
                restore(target, tmp_path / name)
        assert execute(server, "select count(*) from auth_group where name = 'after the dump'") == 1

        restored = manage(environment, "db", "restore", "--yes", str(file))
        assert restored.returncode == 0, restored.stderr
        assert execute(server, "select count(*) from auth_group where name = 'after the dump'") == 0
        assert execute(
            server, "select string_agg(datname, ' ' order by datname) from pg_database where not datistemplate"
        ) == ("mops postgres"), "a database was left over"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            execute(server, "delete from django_migrations")
    finally:
        server.let_go()


def test_status_and_stop(environment, home):
    assert manage(environment, "migrate", "-v0").returncode == 0
    server = Server(home / "postgres")
    server.ensure()  # a user of it all the while, so that it is `stop` that stops it
    try:
        running = manage(environment, "db", "status")
        assert "running, PostgreSQL" in running.stdout
        assert "mops serves, mops_owner owns and migrates" in running.stdout
        stopped = manage(environment, "db", "stop")
        assert "has stopped" in stopped.stdout
        assert "Other programs of mops still run" in stopped.stdout
        assert not server.is_running()
        assert "not running" in manage(environment, "db", "status").stdout
    finally:
        server.let_go()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"DATABASE_URL": "mysql://a:b@h/n"}, "DATABASE_URL must look like postgres://"),
        ({"MOPS_HOME": "/proc/nowhere"}, "MOPS_HOME"),
    ],
)
def test_wrong_environment_ends_with_a_sentence(environment, changed, sentence):
    done = manage(environment | changed, "check")
    assert done.returncode == 1
    assert done.stderr.startswith("mops: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("host", "port", "sentence"),
    [
        ("127.0.0.1", 70000, "70000 is no port"),
        ("203.0.113.1", 8000, "203.0.113.1 is no address of this machine; use --host 127.0.0.1"),
        ("no such host", 8000, "is no address of this machine"),
    ],
)
def test_address_that_cannot_be_had_is_refused(host, port, sentence):
    with pytest.raises(CommandError, match=sentence) as refusal:
        take_port(host, port)
    assert refusal.value.returncode == 2


def test_pauses_double_up_to_half_a_minute():
    assert [pause_before(n) for n in (1, 2, 3, 7, 50)] == [0.5, 1.0, 2.0, 30.0, 30.0]


def test_household_restarts_the_dead_and_leaves_nobody_behind(tmp_path):
    stubborn = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    stubborn += "subprocess.Popen(['sleep', '77'], start_new_session=True); time.sleep(77)"
    said = []
    children = [
        Child(
            "quitter",
            [sys.executable, "-c", f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); raise SystemExit(3)"],
        ),
        Child("stubborn one", [sys.executable, "-c", stubborn]),
    ]
    household = Household(children, said.append)
    try:
        assert wait_until(lambda: household.look_after() or children[0].deaths == 2)
        assert wait_until(lambda: len(undertaker.marked(household.token)) >= 2)
    finally:
        household.stop(is_urgent=lambda: True)
    assert said[0] == "mops: the quitter ended (3); it starts again in 0.5 seconds."
    assert (tmp_path / "starts").read_text() == "xx"
    assert undertaker.marked(household.token) == []
