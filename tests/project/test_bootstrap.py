"""`python3 manage.py …` on a machine with Python and pip and nothing else: what it makes, what it says if it cannot."""

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PLAIN_PYTHON = getattr(sys, "_base_executable", sys.executable)
MANAGE = """
import sys
from mops.bootstrap import ensure_environment
ensure_environment()
import tiny
print(sys.prefix, sys.argv[1:])
sys.exit(tiny.ANSWER)
"""


def tiny_wheel(folder):
    """A package that needs no network: one module, and the records that pip asks for."""
    files = {
        "tiny.py": "ANSWER = 7\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ["tiny-1.0.dist-info/RECORD,,"]
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(text)}")
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (files | {"tiny-1.0.dist-info/RECORD": "\n".join(record)}).items():
            archive.writestr(name, text)
    return path


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A project of two files and a lock, with no environment yet."""
    if subprocess.run([PLAIN_PYTHON, "-c", "import django"], capture_output=True).returncode == 0:
        pytest.skip("the interpreter under this environment has Django itself, so mops rightly uses it as it is")
    root = tmp_path_factory.mktemp("un packed")
    (root / "mops").mkdir()
    shutil.copy(PROJECT / "mops" / "bootstrap.py", root / "mops")
    (root / "mops" / "__init__.py").touch()
    (root / "manage.py").write_text(MANAGE)
    wheel = tiny_wheel(root)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (root / "requirements-dev.lock").write_text(f"./{wheel.name} --hash=sha256:{digest}\n")
    return root


@pytest.fixture(scope="module")
def installed(unpacked):
    """The project after three impatient people have started it at once; what each of them saw."""
    started = [start(unpacked, "a", "b c") for _ in range(3)]
    return unpacked, [(*one.communicate(timeout=300), one.returncode) for one in started]


def environment(**changed):
    kept = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return kept | {"PIP_NO_INDEX": "1"} | changed


def start(root, *arguments, **changed):
    return subprocess.Popen(
        [PLAIN_PYTHON, "manage.py", *arguments],
        cwd=root,
        env=environment(**changed),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(root, *arguments, **changed):
    process = start(root, *arguments, **changed)
    return (*process.communicate(timeout=300), process.returncode)


def run_with(root, constants, **changed):
    """The bootstrap with other constants than a machine of today would need."""
    code = f"import mops.bootstrap as b\n{constants}\nb.ensure_environment()"
    done = subprocess.run(
        [PLAIN_PYTHON, "-c", code], cwd=root, env=environment(**changed), capture_output=True, text=True
    )
    return done.stderr, done.returncode


def test_three_at_once_install_once_and_all_run_on_in_the_environment(installed):
    root, seen = installed
    assert [code for _, _, code in seen] == [7, 7, 7], seen
    assert {out for out, _, _ in seen} == {f"{root / '.venv'} ['a', 'b c']\n"}
    assert sum("installing its packages" in err for _, err, _ in seen) == 1


def test_second_run_installs_nothing(installed):
    out, err, code = run(installed[0])
    assert (out, err, code) == (f"{installed[0] / '.venv'} []\n", "", 7)


def test_package_that_is_not_the_locked_one_is_refused_and_mending_goes_on(installed):
    root = installed[0]
    lock = root / "requirements-dev.lock"
    good = lock.read_text()
    lock.write_text(good[:-9] + "00000000\n")
    _, err, code = run(root)
    assert code == 1
    assert "what pip printed above says why" in err
    assert "run the same command again" in err
    lock.write_text(good)
    assert run(root)[2] == 7


def test_killed_while_installing_goes_on_at_the_next_run(installed, tmp_path, proof):
    root = tmp_path / "copy"
    shutil.copytree(installed[0], root, ignore=shutil.ignore_patterns(".venv"))
    for seconds in (0.2, 0.8, 1.5, 2.5, 3.5) if proof else (0.4,):
        process = start(root)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert run(root)[2] == 7


def test_somebody_elses_environment_is_left_alone(installed):
    _, err, code = run(installed[0], MOPS_BOOTSTRAP="0")
    assert code == 1
    assert "No module named 'tiny'" in err


def test_python_that_is_too_old_is_told(unpacked):
    err, code = run_with(unpacked, "b.MINIMUM = (99, 1)")
    assert (code, err.startswith("mops needs Python 99.1 or newer; this is ")) == (1, True)


def test_full_disk_is_told_before_anything_is_done(unpacked, tmp_path):
    constants = (
        f"b.FREE_BYTES_NEEDED = 2**62; b.VENV = b.Path({str(tmp_path)!r}) / 'none'; b.PYTHON = b.VENV / 'python'"
    )
    err, code = run_with(unpacked, constants)
    assert code == 1
    assert "has less than 1.5 GB free; make room" in err
    assert not (tmp_path / "none").exists()


def test_missing_lock_is_told(unpacked, tmp_path):
    err, code = run_with(unpacked, f"b.LOCKS = (b.Path({str(tmp_path)!r}) / 'no.lock',)")
    assert code == 1
    assert "no.lock is missing" in err


def test_folder_that_cannot_be_written_is_told(unpacked):
    err, code = run_with(unpacked, "b.ROOT = b.Path('/proc')")
    assert code == 1
    assert "cannot write in /proc" in err


def test_python_without_pip_is_told(installed, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(installed[0], root, ignore=shutil.ignore_patterns(".venv"))
    (tmp_path / "path" / "pip").mkdir(parents=True)
    (tmp_path / "path" / "pip" / "__init__.py").touch()
    (tmp_path / "path" / "pip" / "__main__.py").write_text("raise SystemExit(1)")
    (tmp_path / "path" / "ensurepip.py").write_text("raise SystemExit(1)")
    _, err, code = run(root, PYTHONPATH=str(tmp_path / "path"))
    assert code == 1
    assert "mops needs pip (Debian, Ubuntu: apt install python3-pip)" in err
