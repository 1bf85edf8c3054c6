"""Wrong or missing settings refuse to start, in words that say what to do."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from mops.settings.env import read_environment

PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "k" * 60,
    "ALLOWED_HOSTS": "mops.example.com",
    "DATABASE_URL": "postgres://mops:x@db/mops",
}


def without(name):
    return {key: value for key, value in PRODUCTION.items() if key != name}


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (without("SECRET_KEY"), "SECRET_KEY is missing"),
        (PRODUCTION | {"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        (without("ALLOWED_HOSTS"), "ALLOWED_HOSTS is empty"),
        (without("DATABASE_URL"), "set MOPS_EMBEDDED=1"),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "mops.example.com"}, "Set DEBUG=0"),
        ({"DEBUG": "maybe"}, "it must be 1 or 0"),
    ],
)
def test_unsafe_environment_is_refused_in_words(environment, sentence, tmp_path):
    with pytest.raises(ImproperlyConfigured) as caught:
        read_environment({"MOPS_HOME": str(tmp_path), **environment})
    assert sentence in str(caught.value)


def test_production_environment_is_strict_by_default(tmp_path):
    env = read_environment({"MOPS_HOME": str(tmp_path), **PRODUCTION})
    assert (env.debug, env.require_mfa, env.insecure_http, env.badge) == (False, True, False, "")


def test_embedded_production_is_allowed_when_asked_for(tmp_path):
    env = read_environment({"MOPS_HOME": str(tmp_path), **without("DATABASE_URL"), "MOPS_EMBEDDED": "1"})
    assert env.debug is False


def test_demo_environment_needs_nothing_and_keeps_its_key(tmp_path):
    first, second = (read_environment({"MOPS_HOME": str(tmp_path)}) for _ in range(2))
    assert first.secret_key == second.secret_key
    assert first.debug is True
