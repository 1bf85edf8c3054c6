"""The locks name no host, and nothing falls below the version that closed a known hole."""

import re
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]

# No advisory feed is reachable from everywhere this runs, so the floors are kept by hand: package → first safe version
FLOORS = {
    "django": "5.2.19",
    "djangorestframework": "3.18.2",
    "django-allauth": "65.19.4",
    "django-guardian": "3.5.1",
    "requests": "2.34.2",
    "strawberry-graphql": "0.326.1",
    "urllib3": "2.7",
}


def pins(lock):
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^ ;\\]+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_names_no_host(lock):
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_hashed(lock):
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_package_is_below_its_security_floor(lock):
    below = {name: pin for name, pin in pins(lock).items() if name in FLOORS and Version(pin) < Version(FLOORS[name])}
    assert below == {}


def test_development_lock_holds_the_same_versions():
    runtime, development = pins(LOCKS[0]), pins(LOCKS[1])
    assert {name: pin for name, pin in runtime.items() if development.get(name) != pin} == {}


def test_there_is_no_second_lock():
    assert not (ROOT / "uv.lock").exists()
