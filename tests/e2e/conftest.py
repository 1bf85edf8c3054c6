"""A whole mops for a browser: `manage.py up` in a folder of its own, with its demo company, worker and database."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import CHROMIUM_FLAGS, SHARED_DATA

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 480


class Installation:
    """A running `manage.py up`."""

    def __init__(self, home, **environment):
        foreign = ("DATABASE_URL", "MIGRATE_DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "DEBUG")
        self.home = home
        self.environment = {name: value for name, value in os.environ.items() if name not in foreign}
        self.environment |= {"MOPS_HOME": str(home), "PYTHONUNBUFFERED": "1", **environment}
        self.said = []
        command = [sys.executable, str(PROJECT / "manage.py"), "up", "--port", "0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment, cwd=PROJECT
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self._wait_until_ready()
        found = re.findall(r"^  (.+?)\s+(\S+@example\.com)\s+(.+)$", "".join(self.said), re.MULTILINE)
        self.sign_ins = {role.strip(): (email, password.strip()) for role, email, password in found}

    def _read(self):
        self.said.extend(self.process.stdout)

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"^Ready: (\S+)", "".join(self.said), re.MULTILINE):
                return found[1]
            time.sleep(0.1)
        self.stop()
        raise AssertionError("mops did not start:\n" + "".join(self.said))

    def manage(self, *arguments):
        """Run another management command in the same installation and return what it printed."""
        done = subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *arguments],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=PROJECT,
            check=True,
        )
        return done.stdout

    def stop(self):
        """End it as Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()
        subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), "db", "stop"],
            env=self.environment,
            cwd=PROJECT,
            capture_output=True,
            check=False,
        )


@pytest.fixture(scope="package")  # ended with the last story: other tests start browsers and servers of their own
def installation(chromium):
    """mops as a new user starts it, once for all browser tests; file sources may read the folder of real data."""
    home = Path(tempfile.mkdtemp(prefix="mops-e2e-"))
    home.chmod(0o711)
    running = Installation(home / "var", MOPS_IMPORT_FOLDERS=str(SHARED_DATA if SHARED_DATA.is_dir() else home))
    yield running
    running.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="package")
def browser(chromium):
    """A headless Chromium."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # a busy machine answers late, and that is no failure
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def come_in(installation, browser):
    """A function that signs a person of the demo in and returns their page; complaints of the browser fail the test."""
    contexts, complaints = [], []

    def sign_in(role, width=1400):
        email, password = installation.sign_ins[role]
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=installation.url)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
        )
        page.goto("/accounts/login/")
        page.get_by_label("E-mail").or_(page.locator("#id_login")).first.fill(email)
        page.locator("#id_password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/admin/**")
        return page

    yield sign_in
    for context in contexts:
        context.close()
    assert complaints == []
