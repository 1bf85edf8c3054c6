"""Lets `python3 manage.py …` run on a machine that has Python and pip and nothing else. Standard library only."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = (ROOT / "requirements-dev.lock", ROOT / "requirements.lock")
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
MINIMUM = (3, 11)
FREE_BYTES_NEEDED = 1500 * 1024 * 1024  # the packages take about 1.2 GB, pip unpacks beside them


def ensure_environment() -> None:
    """Run on with the packages of the lock: in this process when it has them, else in `.venv`, made if need be.

    Leaves an interpreter alone that somebody else furnished (a container image, another environment): one that has
    Django and is not ours, or any when MOPS_BOOTSTRAP=0. Ends the process with a sentence where it cannot go on.
    """
    if sys.version_info < MINIMUM:
        sys.exit(f"mops needs Python {MINIMUM[0]}.{MINIMUM[1]} or newer; this is {sys.version.split()[0]}.")
    ours = Path(sys.prefix).resolve() == VENV.resolve()
    if os.environ.get("MOPS_BOOTSTRAP") == "0" or (not ours and importlib.util.find_spec("django")):
        return
    lock = next((path for path in LOCKS if path.exists()), None)
    if lock is None:
        sys.exit(f"mops: {LOCKS[0]} is missing, and it says which packages mops needs; unpack mops again.")
    wanted = hashlib.sha256(lock.read_bytes() + repr(sys.version_info[:2]).encode()).hexdigest()
    stamp = VENV / "mops-stamp"
    with _lock():
        if not (PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted):
            try:
                _install(lock)
                stamp.write_text(wanted)
            except OSError as error:
                sys.exit(
                    f"mops: {error.filename or VENV} cannot be written ({error.strerror}): make room on its disk, or "
                    f"give this account the folder (chown -R). Then run this again; {VENV} may be removed at any time."
                )
    if not ours:
        argv = [str(PYTHON), *sys.argv]
        if os.name == "nt":
            sys.exit(subprocess.call(argv))
        os.execv(argv[0], argv)


def _install(lock: Path) -> None:
    if shutil.disk_usage(ROOT).free < FREE_BYTES_NEEDED:
        sys.exit(f"mops: the disk that holds {ROOT} has less than 1.5 GB free; make room, then run this again.")
    print(f"mops: installing its packages into {VENV} (once, about a minute) …", file=sys.stderr, flush=True)
    if not _is_for_this_python():
        import venv

        venv.create(VENV, clear=True, symlinks=os.name != "nt")  # without pip: Debian has no ensurepip
    pip = [str(PYTHON), "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        _give_pip()
    quiet = ["--quiet", "--root-user-action=ignore", "--disable-pip-version-check", "--no-input"]
    # of thirteen thousand files a quarter is ever imported: each is compiled when it first is, and kept
    lazily = [] if sys.dont_write_bytecode else ["--no-compile"]
    _check([*pip, "install", *quiet, *lazily, "--no-deps", "--require-hashes", "-r", str(lock)])


def _is_for_this_python() -> bool:
    """Whether `.venv` has an interpreter that runs, of the same version as the one that runs this."""
    ask = [str(PYTHON), "-c", "import sys; print(sys.version_info[:2])"]
    if not PYTHON.exists():
        return False
    done = subprocess.run(ask, capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.strip() == str(sys.version_info[:2])


def _give_pip() -> None:
    """Put pip into the environment: from ensurepip where there is one, else by the system's pip.

    The system's pip is used with --target, which PEP 668 ("externally managed") does not bar.
    """
    ensurepip = [str(PYTHON), "-m", "ensurepip", "--default-pip"]
    if importlib.util.find_spec("ensurepip") and not subprocess.run(ensurepip, capture_output=True).returncode:
        return
    ask = [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    where = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    ours = Path(sys.prefix).resolve() == VENV.resolve()
    outer = getattr(sys, "_base_executable", sys.executable) if ours else sys.executable
    if subprocess.run([outer, "-m", "pip", "--version"], capture_output=True).returncode:
        sys.exit(
            "mops needs pip (Debian, Ubuntu: apt install python3-pip), "
            "or an environment made from requirements-dev.lock."
        )
    _check([outer, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", where, "pip"])


def _check(command: list[str]) -> None:
    if code := subprocess.run(command).returncode:
        sys.exit(
            f"mops: {' '.join(command[1:4])} … failed with {code}; what pip printed above says why. "
            "Mend that and run the same command again: it goes on where it stopped."
        )


@contextmanager
def _lock():  # type: ignore[no-untyped-def]
    """One process at a time makes the environment; the others wait and then find it ready."""
    try:
        handle = open(ROOT / ".bootstrap.lock", "a+")
    except OSError as error:
        sys.exit(f"mops: cannot write in {ROOT} ({error.strerror}); give this user the right to, or run as its owner.")
    with handle:
        try:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        except ImportError:  # Windows has no fcntl; pip there survives two at once
            pass
        yield
