"""The private server in every situation that it is meant to survive. Real servers in real folders."""

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest

from mops.db.embedded import account, cluster, postmaster, reaper
from mops.db.embedded.binaries import find_binaries, major_version
from mops.db.embedded.errors import EmbeddedPostgresError, in_words
from mops.db.embedded.server import Server, buffers_mb

PROJECT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
DEBIAN = Path("/usr/lib/postgresql/15/bin")
USER = """
import sys, time, pathlib
from mops.db.embedded.server import Server
from mops.db.embedded.cluster import connect
server = Server(pathlib.Path(sys.argv[1]))
address = server.ensure()
session = connect(address, "mops", server.password("mops"), "mops")
print(session.execute("select pg_postmaster_start_time()").fetchone()[0])
sys.stdout.flush()
if len(sys.argv) > 2:
    time.sleep(float(sys.argv[2]))
"""

WRITER = """
import sys, time, pathlib, psycopg
from mops.db.embedded.server import Server
from mops.db.embedded.cluster import connect
server, session, n, last, longest = Server(pathlib.Path(sys.argv[1])), None, 0, time.monotonic(), 0
while not pathlib.Path(sys.argv[3]).exists():
    try:
        session = session or connect(server.ensure(), "mops_owner", server.password("mops_owner"), "mops")
        session.execute("insert into kept values (%s)", [f"{sys.argv[2]}-{n}"])
    except psycopg.OperationalError:
        session = None
        continue
    print(f"{sys.argv[2]}-{n}", flush=True)
    n, longest, last = n + 1, max(longest, time.monotonic() - last), time.monotonic()
print(longest)
"""


@pytest.fixture(scope="module")
def parent():
    """A folder that the account of the server can pass through, which pytest's own folders are not for root."""
    path = Path(tempfile.mkdtemp(prefix="mops-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    for _ in range(100):  # a server that was told to stop may still write its last files
        with contextlib.suppress(OSError):
            shutil.rmtree(path)
            return
        time.sleep(0.1)
    shutil.rmtree(path)


@pytest.fixture
def folder(parent, request, monkeypatch):
    """A folder for one test's server; the server is stopped afterwards, wherever its data went."""
    monkeypatch.setenv("MOPS_PG_LINGER", "0.3")
    path = parent / re.sub(r"\W", "", request.node.name)[:30] / "postgres"
    yield path
    for place in [path, *parent.glob("*/postgres"), *parent.glob("*/*/postgres")]:
        if place.is_dir():
            postmaster.stop(account.data_of(place))


@pytest.fixture
def serve():
    """Servers that this process stops being a user of when the test is over."""
    served = []

    def make(folder, **options):
        served.append(Server(folder, **options))
        return served[-1]

    yield make
    for server in served:
        server.let_go()


@pytest.fixture(scope="module")
def template(parent):
    """A finished cluster that is not running: a copy of it is ten times as fast as an initdb."""
    server = Server(parent / "template" / "postgres", durable=False)
    server.ensure()
    server.stop()
    server.let_go()
    return server.folder


@pytest.fixture
def made(folder, template, serve):
    """A server on a copy of the finished cluster, not started yet."""
    subprocess.run(["cp", "-a", str(template.parent), str(folder.parent)], check=True)
    return serve(folder)


def scalar(server, statement, role="mops"):
    with cluster.connect(server.ensure(), role, server.password(role), "mops") as session:
        found = session.execute(statement)
        return found.fetchone()[0] if found.description else None


def user(folder, *seconds):
    """Another process that uses the server; its first line says that it is connected."""
    command = [sys.executable, "-c", USER, str(folder), *map(str, seconds)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, env=os.environ)


def wait_until(fact, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.02)
    return fact()


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(1, 128), (4, 256), (8, 512), (64, 1024)])
def test_server_keeps_a_sixteenth_of_the_memory_as_pages(gigabytes, megabytes, monkeypatch):
    told = {"SC_PHYS_PAGES": gigabytes * 2**18, "SC_PAGE_SIZE": 2**12}
    monkeypatch.setattr(os, "sysconf", told.__getitem__)
    assert buffers_mb() == megabytes


def test_first_start_makes_one_database_owned_by_the_migrating_role(folder, serve):
    server = serve(folder)
    assert scalar(server, "select pg_get_userbyid(datdba) from pg_database where datname = 'mops'") == "mops_owner"
    assert scalar(server, "select current_setting('listen_addresses') || current_setting('fsync')") == "on"
    secrets = sorted((folder / "secrets").iterdir())
    assert [path.name for path in secrets] == ["mops", "mops_owner", "postgres"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert len({path.read_text() for path in secrets}) == 3
    assert stat.S_IMODE(account.data_of(folder).stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == (0o711 if IS_ROOT else 0o700)


def test_six_processes_racing_on_an_empty_folder_share_one_server(folder):
    racers = [user(folder, 0.5) for _ in range(6)]
    answers = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * 6
    assert len(answers) == 1


def test_killed_server_is_back_at_the_next_connection_with_what_was_committed(made, proof):
    scalar(made, "create table kept (n int)", role="mops_owner")
    for n in range(5 if proof else 2):
        scalar(made, f"insert into kept values ({n})", role="mops_owner")
        os.kill(postmaster.pid_of(made.folder / "data"), signal.SIGKILL)
        assert scalar(made, "select count(*) from kept", role="mops_owner") == n + 1


@pytest.mark.proof
def test_no_acknowledged_write_is_lost_however_often_the_server_is_killed(made, proof, tmp_path):
    scalar(made, "create table kept (id text primary key)", role="mops_owner")
    wanted, writers, enough = (20, 6, tmp_path / "enough") if proof else (2, 2, tmp_path / "enough")
    command = [sys.executable, "-c", WRITER, str(made.folder)]
    started = [
        subprocess.Popen([*command, str(n), str(enough)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        for n in range(writers)
    ]
    lines = [[] for _ in started]
    readers = [
        threading.Thread(target=lambda each=each, one=one: each.extend(line.strip() for line in one.stdout))
        for each, one in zip(lines, started, strict=True)
    ]
    for reader in readers:
        reader.start()
    kills, ends = 0, time.monotonic() + 120
    while kills < wanted and time.monotonic() < ends:
        seen = sum(map(len, lines))  # once it is back and some have written, again
        wait_until(lambda seen=seen: sum(map(len, lines)) > seen + 20)
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(postmaster.pid_of(made.folder / "data"), signal.SIGKILL)
            kills += 1
    enough.touch()
    for reader, one in zip(readers, started, strict=True):
        reader.join(60)
        one.wait(60)
        one.stdout.close()
    assert [one.returncode for one in started] == [0] * writers
    acknowledged = {entry for each in lines for entry in each[:-1]}
    assert kills == wanted
    with cluster.connect(made.ensure(), "mops_owner", made.password("mops_owner"), "mops") as session:
        assert acknowledged <= {row[0] for row in session.execute("select id from kept")}
    if proof:
        assert max(float(each[-1]) for each in lines) < 10, "nobody waits longer than ten seconds"


def test_stale_lock_file_that_names_a_stranger_harms_neither(made):
    stranger = subprocess.Popen(["sleep", "60"])
    (made.folder / "data" / "postmaster.pid").write_text(
        f"{stranger.pid}\n{made.folder / 'data'}\n1\n5432\n.\n\n1 1\nready\n"
    )
    assert scalar(made, "select 1") == 1
    assert not made.is_running() or made.stop()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_interrupted_initdb_is_begun_anew(folder, proof, serve):
    for seconds in (0.1, 0.3, 0.6, 0.9, 1.3) if proof else (0.3,):
        first = user(folder)
        time.sleep(seconds)
        first.kill()
        first.communicate()
        subprocess.run(["pkill", "-9", "-f", f"{folder}/data.part"])  # the initdb that this process had started
    (folder / "data.part").mkdir(exist_ok=True, parents=True)
    (folder / "data.part" / "PG_VERSION").write_text("18\n")
    server = serve(folder)
    assert scalar(server, "select 1") == 1


@pytest.mark.parametrize("name", ["with space", "it's", "büro", 'a"b$HOME`id`'])
def test_any_folder_name_works_and_renaming_keeps_the_data(made, parent, name, serve):
    scalar(made, "create table kept (n int)", role="mops_owner")
    made.stop()
    made.let_go()
    moved = made.folder.parent.rename(parent / name) / "postgres"
    server = serve(moved)
    assert scalar(server, "select count(*) from kept", role="mops_owner") == 0
    assert Path(scalar(server, "show data_directory", role="postgres")) == moved / "data"
    server.stop()


def test_renaming_while_it_runs_keeps_the_same_server(made, parent, serve):
    started = scalar(made, "select pg_postmaster_start_time()")
    moved = made.folder.parent.rename(parent / "renamed while running") / "postgres"
    server = serve(moved)
    assert scalar(server, "select pg_postmaster_start_time()") == started
    made.let_go()
    server.let_go()
    assert wait_until(lambda: not server.is_running()), "the reaper has lost it"


def test_path_too_long_for_a_socket_is_served_on_loopback_with_a_password(made, parent, serve):
    deep = parent / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir(mode=0o711)
    made.let_go()
    server = serve(made.folder.parent.rename(deep) / "postgres")
    address = server.ensure()
    assert address.host == "127.0.0.1"
    assert scalar(server, "select host(inet_server_addr())") == "127.0.0.1"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect(address, "mops", "wrong", "mops")
    server.stop()


def test_file_system_without_sockets_is_served_on_loopback(made):
    (made.folder / "data" / ".s.PGSQL.5432").mkdir(mode=0o700)  # no socket can be made where a folder is
    assert made.ensure().host == "127.0.0.1"
    assert scalar(made, "show unix_socket_directories", role="postgres") == ""


def test_server_stops_when_its_last_user_is_killed(made):
    first, second = user(made.folder, 60), user(made.folder, 60)
    assert first.stdout.readline() == second.stdout.readline()
    first.kill()
    first.communicate()
    time.sleep(0.8)
    assert made.is_running(), "stopped although somebody still uses it"
    second.kill()
    second.communicate()
    assert wait_until(lambda: not made.is_running())
    assert wait_until(lambda: not reaper.is_on_duty(made.folder))
    assert not (made.folder / "data" / "postmaster.pid").exists()


def test_killed_reaper_is_replaced_by_the_next_user(made, serve):
    made.ensure()
    assert wait_until(lambda: reaper.is_on_duty(made.folder))
    found = subprocess.run(["pgrep", "-f", f"reaper import main.*{made.folder}"], capture_output=True, text=True)
    for pid in found.stdout.split():
        os.kill(int(pid), signal.SIGKILL)
    assert wait_until(lambda: not reaper.is_on_duty(made.folder))
    serve(made.folder).known()
    assert wait_until(lambda: reaper.is_on_duty(made.folder))


def test_stop_ends_it_and_the_next_user_starts_it_again(made):
    made.ensure()
    assert made.stop()
    assert not made.is_running()
    assert not made.stop()
    assert scalar(made, "select 1") == 1


def test_data_of_another_major_version_is_refused_with_the_way_to_move(made):
    (made.folder / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match=r"written by PostgreSQL 14.*db dump.*db restore"):
        made.ensure()


def test_unknown_files_in_the_data_folder_are_left_alone(folder, serve):
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "thesis.txt").write_text("mine")
    with pytest.raises(EmbeddedPostgresError, match="mops deletes nothing that it does not know"):
        serve(folder).ensure()
    assert (folder / "data" / "thesis.txt").read_text() == "mine"


def test_lost_passwords_are_told(made):
    shutil.rmtree(made.folder / "secrets")
    with pytest.raises(EmbeddedPostgresError, match="Bring the folder `secrets` back"):
        made.ensure()


def test_wrong_password_is_told(made):
    made.ensure()
    (made.folder / "secrets" / "mops").write_text("changed")
    with pytest.raises(EmbeddedPostgresError, match="is not the one that the server knows"):
        made.ensure()


def test_mops_pg_bin_without_programs_is_told(folder, tmp_path, monkeypatch, serve):
    monkeypatch.setenv("MOPS_PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedPostgresError, match=r"MOPS_PG_BIN is .* which has no initdb"):
        serve(folder).ensure()


@pytest.mark.skipif(not (DEBIAN / "initdb").exists(), reason="no PostgreSQL 15 of the system here")
def test_the_oldest_supported_postgresql_serves_as_well(folder, monkeypatch, serve):
    monkeypatch.setenv("MOPS_PG_BIN", str(DEBIAN))
    server = serve(folder)
    assert scalar(server, "show server_version").startswith("15.")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("initdb: error: could not write: No space left on device", "is full; make room"),
        ("initdb: error: could not look up effective user ID 54321: user does not exist", "set DATABASE_URL"),
        ("FATAL:  data directory has wrong ownership", "belongs to another account"),
        ("could not open file: Permission denied", "chown -R"),
        ("FATAL:  could not write lock file: Read-only file system", "set MOPS_HOME"),
        ("something new", "it said:\nfirst line\nsomething new"),
    ],
)
def test_what_postgresql_prints_becomes_a_sentence(said, sentence):
    assert sentence in in_words(f"first line\n{said}", Path("/srv/mops"))


def test_folder_that_cannot_be_made_is_told(parent, serve):
    (parent / "a file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="Set MOPS_HOME to a folder"):
        serve(parent / "a file" / "postgres").ensure()


@pytest.mark.skipif(IS_ROOT, reason="root may read everything")
@pytest.mark.parametrize("closed", ["data", "secrets", "lease"])
def test_unreadable_data_folder_is_told(made, closed):
    (made.folder / closed).chmod(0)
    try:
        with pytest.raises(EmbeddedPostgresError, match="chown -R"):
            made.ensure()
    finally:
        (made.folder / closed).chmod(0o700)


@pytest.mark.skipif(not IS_ROOT, reason="only root can be another user")
def test_user_id_without_account_is_told(parent):
    folder = parent / "nobody knows"
    folder.mkdir()
    os.chown(folder, 54321, 54321)
    place = account.Place(account.Account(54321, 54321), find_binaries(), folder / "data")
    with pytest.raises(EmbeddedPostgresError, match="no passwd entry"):
        cluster.make_cluster(folder, place, durable=False)
    assert not (folder / "data").exists()


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a small disk")
def test_full_disk_is_told_and_nothing_half_done_is_kept(parent, serve):
    disk = parent / "small disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)]).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        disk.chmod(0o711)
        with pytest.raises(EmbeddedPostgresError, match="is full; make room"):
            serve(disk / "postgres").ensure()
        assert not (disk / "postgres" / "data").exists()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another account")
def test_root_loosens_no_folder_and_serves_from_elsewhere_what_no_other_account_can_reach(tmp_path, template, serve):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = serve(closed / "var" / "postgres", durable=False)
    try:
        assert scalar(server, "select 1") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        data = account.data_of(server.folder)
        assert data.parent == account.SYSTEM_FOLDER
        server.stop()
        moved = serve(closed.rename(tmp_path / "moved") / "var" / "postgres")
        assert scalar(moved, "select 1") == 1
        subprocess.run(["cp", "-a", str(tmp_path / "moved"), str(tmp_path / "copy")], check=True)
        with pytest.raises(EmbeddedPostgresError, match="is a copy of"):
            serve(tmp_path / "copy" / "var" / "postgres").ensure()
    finally:
        data = account.data_of(next(tmp_path.glob("*/var/postgres")))
        postmaster.stop(data)
        shutil.rmtree(data, ignore_errors=True)
        data.with_suffix(".for").unlink(missing_ok=True)


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another account")
def test_server_never_runs_as_root(made):
    made.ensure()
    pid = postmaster.pid_of(made.folder / "data")
    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_the_wheel_is_newer_than_the_floor():
    assert major_version(find_binaries()) >= 15
