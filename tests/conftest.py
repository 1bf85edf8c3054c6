"""What every test can ask for."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from mops.db.embedded import postmaster
from mops.garbage import keep_what_is_loaded

SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
hypothesis_settings.register_profile("plain", max_examples=25, deadline=None)
hypothesis_settings.register_profile("proof", max_examples=500, deadline=None)


def pytest_addoption(parser):
    parser.addoption("--proof", action="store_true", help="run the long proofs at full figures")


def pytest_configure(config):
    # Playwright's loop runs in the test's thread, where Django would refuse the ORM
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    hypothesis_settings.load_profile("proof" if config.getoption("--proof") else "plain")


def pytest_collection_finish(session):
    """Seven thousand collected tests are one more thing that no collection of garbage has to walk over."""
    keep_what_is_loaded()


def pytest_xdist_make_scheduler(config, log):
    """Share the tests out one by one, but whole what shares a costly set-up.

    The stories in a browser share one installation, two modules that guard the project the demo company. No others:
    whole modules come first, and tests that commit, which empty the tables that migrations fill, have to come last.
    """
    from xdist.scheduler import LoadScopeScheduling

    whole = ("tests/project/test_admin_pages.py", "tests/project/test_surfaces.py")

    class OneInstallation(LoadScopeScheduling):
        # the mark "xdist_group" is not heard by pytest-xdist 3.8 under pytest 9.2
        def _split_scope(self, nodeid):
            module = nodeid.split("::")[0]
            return "installation" if module.startswith("tests/e2e/") else module if module in whole else nodeid

    return OneInstallation(config, log)


@pytest.fixture(scope="session")
def proof(request):
    """Whether this run proves at full figures."""
    return bool(request.config.getoption("--proof"))


@pytest.fixture
def spare_home():
    """A MOPS_HOME for another process, with a private server of its own that is gone afterwards.

    Not in pytest's folders: as root those are closed to the account that runs PostgreSQL, which would then keep the
    data in the system's folder, where nobody removes it.
    """
    path = Path(tempfile.mkdtemp(prefix="mops-home-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    postmaster.stop(path / "postgres" / "data")
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data sets; without it the test is skipped, saying so."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data sets are not beside the project")
    return SHARED_DATA


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium; without one the test is skipped, saying so."""
    found = os.environ.get("MOPS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium is installed (Debian: apt install chromium)")
    return found


@pytest.fixture
def page(chromium):
    """A page of a phone's width, in a browser of its own, that remembers what the browser complained about."""
    from django.core.cache import cache
    from django.db import connections
    from playwright.sync_api import sync_playwright

    cache.clear()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        yield page
        browser.close()
        connections.close_all()  # those of the browser's event loop are not those that pytest-django closes


@pytest.fixture(autouse=True)
def _fresh_actor():
    """No test inherits another one's actor."""
    from apps.core.actors import Actor, reset_actor, set_actor

    token = set_actor(Actor())
    yield
    reset_actor(token)
