"""What load balancers and monitoring ask: is the process alive, can it serve, how is it doing?"""

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from apps.core.metrics import exposition

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
_known: dict[str, bool] = {}


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process runs; touches nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers and is migrated, else 503 with the reason.

    Once this process has found it migrated it only asks whether the database answers.
    """
    try:
        pending = 0 if _known.get("migrated") else _pending_migrations()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        return JsonResponse({"status": "unavailable", "reason": "The database does not answer."}, status=503)
    if pending:
        reason = f"{pending} migrations are pending; run manage.py migrate."
        return JsonResponse({"status": "unavailable", "reason": reason}, status=503)
    _known["migrated"] = True
    return JsonResponse({"status": "ok"})


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with Prometheus's text format, to this machine or to whoever has the token."""
    if not _may_measure(request):
        sentence = "Metrics are for this machine alone, or for whoever sends the token set as MOPS_METRICS_TOKEN.\n"
        return HttpResponse(sentence, status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _may_measure(request: HttpRequest) -> bool:
    """With a token set only the token counts; a request that a proxy passed on is never from this machine."""
    if token := settings.METRICS_TOKEN:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and constant_time_compare(given.strip(), token)
    forwarded = any(request.headers.get(name) for name in FORWARDED)
    return not forwarded and request.META.get("REMOTE_ADDR") in LOOPBACK


def _pending_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
