"""How background jobs run: django-q2 only carries ids, apps/core/jobs keeps the rest."""

from typing import Any

from mops.settings.current import ENV

Q_CLUSTER: dict[str, Any] = {
    "name": "mops",
    "workers": 2,
    "timeout": 300,
    "retry": 900,
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": 0,
    "queue_limit": 4,
    "bulk": 1,
    "catch_up": False,
    "recycle": 500,
    "poll": 0.5,
    "label": "Jobs",
    **({"redis": ENV.redis_url} if ENV.redis_url else {"orm": "default"}),
}
