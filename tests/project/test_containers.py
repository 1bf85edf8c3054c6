"""The container files say what the product needs; no engine runs here, so they are read, linted and compared."""

import re
from pathlib import Path

import pytest
import yaml

from mops.settings.env import read_environment

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_web_and_worker_run_as_the_serving_role_and_only_migrate_as_the_owner(compose):
    owners = {
        name
        for name, service in compose["services"].items()
        if "MIGRATE_DATABASE_URL" in service.get("environment", {})
    }
    assert owners == {"migrate"}
    assert "//mops:" in compose["services"]["web"]["environment"]["DATABASE_URL"]


def test_every_variable_that_compose_asks_for_is_in_the_example(compose):
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    offered = set(re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / "mops.env.example").read_text(), re.MULTILINE))
    assert asked - offered == set()


def test_compose_environment_starts_in_production(compose, tmp_path):
    given = compose["services"]["web"]["environment"]
    environment = {name: value if "$" not in str(value) else "x" * 60 for name, value in given.items()} | {
        "DEBUG": "0",
        "ALLOWED_HOSTS": "mops.example.com",
        "MOPS_HOME": str(tmp_path),
        "MOPS_PUBLIC_URL": "https://mops.example.com",
        "DATABASE_URL": "postgres://mops:x@db:5432/mops",
    }
    assert read_environment(environment).debug is False


def test_image_installs_the_hashed_lock_and_runs_as_nobody_special():
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert re.search(r"^    DEBUG=0$", text, re.MULTILINE)
