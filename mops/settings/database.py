"""The database: a PostgreSQL server named in the environment, or the private one that mops brings along."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ  # type: ignore[import-untyped]
from django.core.exceptions import ImproperlyConfigured

OWNER, SERVING, NAME = "mops_owner", "mops", "mops"
CONNECT_SECONDS = 5
KEPT_SECONDS = 600


def database_settings(env: Mapping[str, str], home: Path) -> dict[str, dict[str, Any]]:
    """DATABASES: `default` serves, `owner` migrates; both reach the same database."""
    if url := env.get("DATABASE_URL"):
        serving = _server("DATABASE_URL", url)
        migrate = env.get("MIGRATE_DATABASE_URL")
        owner = _server("MIGRATE_DATABASE_URL", migrate) if migrate else dict(serving)
        if serving["NAME"] != owner["NAME"]:
            raise ImproperlyConfigured(
                f"DATABASE_URL names the database {serving['NAME']}, MIGRATE_DATABASE_URL {owner['NAME']}. "
                "They are two roles of one database: make the names the same."
            )
    elif os.name != "posix":
        raise ImproperlyConfigured(
            "mops brings a PostgreSQL along for Linux and macOS only; here set DATABASE_URL to a PostgreSQL server."
        )
    else:
        durable = _durable(env.get("MOPS_DURABLE", "1"))
        serving, owner = (_private(home, role) | {"DURABLE": durable} for role in (SERVING, OWNER))
    for settings in (serving, owner):
        settings |= {"CONN_MAX_AGE": KEPT_SECONDS, "CONN_HEALTH_CHECKS": True}
    return {"default": serving, "owner": owner | {"TEST": {"MIRROR": "default"}}}


def _server(variable: str, url: str) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it does not recognise is refused below, in words
            settings: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, KeyError, ImproperlyConfigured):
        settings = {}
    if "postgresql" not in settings.get("ENGINE", "") or not settings.get("NAME") or not settings.get("USER"):
        raise ImproperlyConfigured(
            f"{variable} must look like postgres://user:password@host:5432/name; mops runs on PostgreSQL only."
        )
    settings["OPTIONS"] = {"connect_timeout": CONNECT_SECONDS, **settings.get("OPTIONS", {})}
    return settings | {"ENGINE": "mops.db.postgresql"}


def _durable(value: str) -> bool:
    """Whether the private server waits for the disk; a machine that only tests need not."""
    if value not in ("0", "1"):
        raise ImproperlyConfigured(
            f"MOPS_DURABLE is {value!r}. Leave it out, so that what was saved survives a power cut, or set it to 0 on "
            "a machine that only runs the tests."
        )
    return value == "1"


def _private(home: Path, role: str) -> dict[str, Any]:
    return {"ENGINE": "mops.db.embedded", "NAME": NAME, "FOLDER": home / "postgres", "ROLE": role}
