"""JSON logs, one object a line, each with the id of the request or job that caused it, and without secrets."""

from typing import Any

import structlog

from apps.core.logs import add_actor, hide_secrets
from mops.settings.current import ENV

METRICS_TOKEN = ENV.metrics_token
PROMETHEUS_EXPORT_MIGRATIONS = False

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    add_actor,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_secrets,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _SHARED,
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # else Django's own handlers would write everything twice
        "django.request": {"level": "ERROR"},  # what is not an error stands in the access line already
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # so does what scanners try
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "gunicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "allauth": {"level": "WARNING"},
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
