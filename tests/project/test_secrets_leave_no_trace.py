"""Every secret that mops is given or gives out, once through its own form: afterwards none stands anywhere.

Looked through: every table of the database (ledger, histories, jobs, notifications, accesses), every line of the JSON
log, what the probes and the metrics tell, and the exports of the lists that these forms write.
"""

import io
import json
import logging
import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.domain.invitations import invite_person
from apps.accounts.enums import Role
from apps.accounts.models import Invitation, User
from apps.core.jobs.testing import run_queued_jobs
from apps.technology.domain.feeds import open_feed, token_of
from apps.tickets.domain.mail.fetching import fetch
from apps.tickets.models import Mailbox
from mops.settings.single_sign_on import read_single_sign_on
from tests.accounts.test_second_factor import enrol
from tests.accounts.test_single_sign_on import TOLD
from tests.factories.accounts import PASSWORD, TeamFactory, administrator, person_with, sign_in
from tests.factories.tickets import agent
from tests.project.surface_checks import url

pytestmark = pytest.mark.django_db
NEW_PASSWORD, INVITED_PASSWORD, WRONG_PASSWORD, MAIL_PASSWORD, CLIENT_SECRET = (
    "seven quiet lanterns glow",
    "purple wagon climbs slowly",
    "almost the right words here",
    "Mailbox-Pa55-of-the-queue",
    "oidc-client-secret-of-the-idp",
)
# the session of a sign-in under way knows what the form shows, and goes with it
SESSIONS = "django_session"


@pytest.fixture
def log():
    """Everything the product logs, down to DEBUG, rendered as the product renders it."""
    rendered = next(each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler).formatter
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(rendered)
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def everything_kept():
    """Every table as text, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND has_table_privilege(c.oid, 'SELECT')"
        )
        names = [name for (name,) in cursor.fetchall()]
        kept = {}
        for name in names:
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{name}" t')
            kept[name] = cursor.fetchone()[0] or ""
    return kept


def new_password(client, person):
    client.post("/accounts/login/", {"login": person.email, "password": WRONG_PASSWORD})
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    words = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, **words})
    assert type(person).objects.get(pk=person.pk).check_password(NEW_PASSWORD)


def reset(person):
    """Ask for a new password, open the link from the mail and give one; return the key of the link."""
    client = Client()
    client.post("/accounts/password/reset/", {"email": person.email})
    path = re.search(r"/accounts/password/reset/key/\S+", mail.outbox[-1].body).group()
    form = client.get(path, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    return path.strip("/").rsplit("/", 1)[-1]


def come_in(boss):
    _, link = invite_person(by=boss, team=TeamFactory(), email="nora@example.com", full_name="Nora", role=Role.OPS)
    token, client = link.rstrip("/").rsplit("/", 1)[1], Client()
    client.get(f"/accounts/invitation/{token}/", follow=True)
    client.post("/accounts/invitation/", {"password": INVITED_PASSWORD, "again": INVITED_PASSWORD})
    return token


def factor_of(person):
    """Take an authenticator app; return its secret and the recovery codes."""
    client = sign_in(Client(), person)
    secret = enrol(client)
    cache.clear()
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert len(codes) >= 5
    return [secret, *codes]


def subscribe(person):
    """Open the renewal calendar by its address; return the signature in it."""
    token = token_of(open_feed(by=person))
    assert Client().get(reverse("technology-feed", args=(token,))).status_code == 200
    return token.split("~")[-1]


def fetch_mail(monkeypatch):
    """Keep a mailbox whose password is in the environment, and fetch from a server that is not there."""
    monkeypatch.setenv("MOPS_MAILBOX_HELP", MAIL_PASSWORD)
    box = Mailbox.objects.create(
        name="Help", address="help@example.com", host="127.0.0.1", port=1, security="none", username="help",
        secret_name="MOPS_MAILBOX_HELP", runs_as=agent(),
    )  # fmt: skip
    assert fetch(box) == {"problems": 1}


def ask_the_identity_provider(settings):
    """Send somebody to a provider that does not answer."""
    told = {**TOLD, "MOPS_OIDC_SECRET": CLIENT_SECRET, "MOPS_OIDC_SERVER_URL": "http://127.0.0.1:1"}
    settings.SINGLE_SIGN_ON = read_single_sign_on(told, debug=True)
    settings.SOCIALACCOUNT_PROVIDERS = settings.SINGLE_SIGN_ON.as_provider()
    client = Client()
    page = client.post("/accounts/oidc/company-id/login/", follow=True).content.decode()
    assert "sign-in does not answer" in page


def told_outside(boss):
    """What the probes and metrics say, and the exports of the kinds that were written."""
    client = sign_in(Client(), boss)
    texts = {path: client.get(path).content.decode() for path in ("/healthz", "/readyz", "/metrics")}
    for model in (User, Invitation, Mailbox):
        address = url(model, "list_kit", kit="exchange", verb="export") + "?archived=all"
        columns = [name for name, _ in client.get(address).context["form"].fields["columns"].choices]
        answer = client.post(address, {"format": "json", "columns": columns})
        texts[f"export of {model._meta.label}"] = b"".join(answer.streaming_content).decode()
    return texts


def test_no_secret_stands_anywhere(log, settings, monkeypatch):
    cache.clear()
    boss, person, owner = administrator(), person_with(Role.OPS), person_with(Role.OPS)
    new_password(Client(), person)
    secrets = [PASSWORD, NEW_PASSWORD, INVITED_PASSWORD, WRONG_PASSWORD, MAIL_PASSWORD, CLIENT_SECRET]
    secrets += [reset(person), come_in(boss), *factor_of(owner), subscribe(owner)]
    Client().get("/admin/", headers={"Authorization": "Bearer abc123def456ghi789"})
    secrets.append("abc123def456ghi789")
    fetch_mail(monkeypatch)
    ask_the_identity_provider(settings)
    logging.getLogger("apps").error("no connection to %s", f"postgres://mops:{MAIL_PASSWORD}@db/mops")
    run_queued_jobs()
    places = {**everything_kept(), **told_outside(boss), "the log": log.getvalue()}
    assert "no connection to" in places["the log"]
    assert "nora@example.com" in places["accounts_user"]
    assert places["audit_auditevent"].count(person.email) > 0
    assert all(json.loads(line) for line in places["the log"].splitlines())
    found = [
        (secret, place) for place, text in places.items() for secret in secrets if place != SESSIONS and secret in text
    ]
    assert found == []
