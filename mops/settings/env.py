"""What the environment says, read once and checked: a wrong or missing value is a sentence, not a traceback."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from mops.settings.secrets import read_or_make_secret

ROOT = Path(__file__).resolve().parent.parent.parent
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
KEY_LENGTH = 50


@dataclass(frozen=True)
class Environment:
    """The settings that differ between a laptop, CI and production."""

    home: Path
    debug: bool
    technical_pages: bool
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    csrf_trusted_origins: tuple[str, ...]
    badge: str
    demo: bool
    email_url: str
    default_from_email: str
    metrics_token: str
    require_mfa: bool
    redis_url: str
    import_folders: tuple[Path, ...]
    time_zone: str
    insecure_http: bool
    public_url: str
    trusted_proxies: int
    seal_key: str
    seals_folder: Path


def read_environment(environment: Mapping[str, str] = os.environ) -> Environment:
    """Read and check the process environment.

    Raises:
        ImproperlyConfigured: with a sentence that says which variable is wrong and what to set.
    """
    env = environ.Env()
    env.ENVIRON = environment  # type: ignore[assignment]  # a mapping is all it reads
    debug = _flag(environment, "DEBUG", default=True)
    home = Path(environment.get("MOPS_HOME") or ROOT / "var").expanduser()
    hosts = tuple(env.list("ALLOWED_HOSTS", default=list(LOOPBACK) if debug else []))
    _refuse_unsafe(environment, debug=debug, hosts=hosts)
    insecure = _flag(environment, "MOPS_INSECURE_HTTP", default=debug)
    return Environment(
        home=home,
        debug=debug,
        technical_pages=_flag(environment, "TECHNICAL_PAGES", default=False),
        secret_key=environment.get("SECRET_KEY") or read_or_make_secret(home),
        secret_key_fallbacks=tuple(env.list("SECRET_KEY_FALLBACKS", default=[])),
        allowed_hosts=hosts,
        csrf_trusted_origins=tuple(env.list("CSRF_TRUSTED_ORIGINS", default=[])),
        badge=environment.get("MOPS_BADGE") or ("Demo" if debug else ""),
        demo=_flag(environment, "MOPS_DEMO", default=debug),
        email_url=environment.get("EMAIL_URL", ""),
        default_from_email=environment.get("DEFAULT_FROM_EMAIL", "mops <mops@localhost>"),
        metrics_token=environment.get("MOPS_METRICS_TOKEN", ""),
        require_mfa=_flag(environment, "MOPS_REQUIRE_MFA", default=not debug),
        redis_url=environment.get("REDIS_URL", ""),
        import_folders=tuple(
            Path(folder) for folder in env.list("MOPS_IMPORT_FOLDERS", default=[str(home / "imports")])
        ),
        time_zone=environment.get("MOPS_TIME_ZONE", "UTC"),
        insecure_http=insecure,
        public_url=_public_url(environment, hosts),
        trusted_proxies=_count(environment, "MOPS_TRUSTED_PROXIES"),
        seal_key=environment.get("MOPS_SEAL_KEY", "").strip(),
        seals_folder=Path(environment.get("MOPS_SEALS_FOLDER") or home / "seals").expanduser(),
    )


def _public_url(environment: Mapping[str, str], hosts: tuple[str, ...]) -> str:
    """Return the address that mails link to; the first allowed host where none is set."""
    given = environment.get("MOPS_PUBLIC_URL", "").strip().rstrip("/")
    if not given:
        named = next((host.lstrip(".") for host in hosts if host not in {*LOOPBACK, "*"}), None)
        return f"https://{named}" if named else "http://localhost:8000"
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"MOPS_PUBLIC_URL is {given!r}: it must be the address people open, for instance https://mops.example.com."
        )
    return given


def _count(environment: Mapping[str, str], name: str) -> int:
    value = environment.get(name, "").strip() or "0"
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name} is {value!r}: it must be how many proxies of yours stand in front of mops.")
    return int(value)


def _refuse_unsafe(environment: Mapping[str, str], *, debug: bool, hosts: tuple[str, ...]) -> None:
    public = [host for host in hosts if host not in LOOPBACK]
    if debug and public:
        raise ImproperlyConfigured(
            f"DEBUG is on and ALLOWED_HOSTS names {', '.join(public)}: error pages would show the inside of mops to "
            "anyone who reaches it. Set DEBUG=0, or leave ALLOWED_HOSTS to this machine alone."
        )
    if debug:
        return
    key = environment.get("SECRET_KEY", "")
    if len(key) < KEY_LENGTH:
        raise ImproperlyConfigured(
            f"DEBUG is off and SECRET_KEY is {'missing' if not key else 'too short'}: set it to at least {KEY_LENGTH} "
            'random characters, for instance from python3 -c "import secrets; print(secrets.token_urlsafe(50))".'
        )
    if not hosts:
        raise ImproperlyConfigured(
            "DEBUG is off and ALLOWED_HOSTS is empty: set it to the host names mops answers to, separated by commas."
        )
    if not environment.get("DATABASE_URL") and not _flag(environment, "MOPS_EMBEDDED", default=False):
        raise ImproperlyConfigured(
            "DEBUG is off and DATABASE_URL is not set: point it at your PostgreSQL, or set MOPS_EMBEDDED=1 to run "
            "production on the embedded server of this machine."
        )


def _flag(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environment.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}: it must be 1 or 0.")
