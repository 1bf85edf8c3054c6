"""No secret gets through."""

import pytest

from apps.core.redaction import HIDDEN, names_secret, redact, redact_value

SECRET = "hunter2secretVALUE99"


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"password = '{SECRET}'",
        f'{{"password": "{SECRET}", "name": "x"}}',
        f"{{'api_key': '{SECRET}'}}",
        f"new_password2={SECRET}&next=/",
        f"access_token: {SECRET}",
        f"client-secret={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Token {SECRET}",
        f"authorization=Basic {SECRET}",
        f"'HTTP_AUTHORIZATION': 'Bearer {SECRET}'",
        f"sent bearer {SECRET} along",
        f"Cookie: a=b; mops_session={SECRET}; csrftoken=x",
        f"postgres://mops:{SECRET}@db:5432/mops",
        f"smtp+tls://user:{SECRET}@mail.example.com:587",
        f"GET /accounts/password/reset/key/a1-d4xk9z-{SECRET}/ failed",
        f"GET /accounts/invitations/{SECRET}{SECRET}/ failed",
        f"/callback?code={SECRET}&state=1",
        f"/x?a=1&key={SECRET}",
        f"SECRET_KEY={SECRET}",
        f"otp={SECRET}",
    ],
)
def test_secrets_in_texts_are_hidden(text):
    assert SECRET not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "/admin/technology/tool/1234/change/",
        "Token authentication failed",
        "basic authentication is off",
        "3 migrations are pending; run manage.py migrate.",
        'File "/srv/mops/apps/core/notifications/domain/delivering.py", line 12, in _claim',
        "duplicate key value violates unique constraint",
        "https://mops.example.com/admin/?p=2&q=tools",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert redact(text) == text


def test_values_of_telling_names_are_hidden_however_deep():
    given = {"a": [{"password": SECRET, "token": ""}], "api_key": 7, "note": f"token={SECRET}", "n": 1, "key": "tool.1"}
    assert redact_value(given) == {
        "a": [{"password": HIDDEN, "token": ""}],
        "api_key": HIDDEN,
        "note": f"token={HIDDEN}",
        "n": 1,
        "key": "tool.1",
    }


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True),
        ("old_password", True),
        ("HTTP_AUTHORIZATION", True),
        ("Authorization", True),
        ("client_secret", True),
        ("refresh_token", True),
        ("csrfmiddlewaretoken", True),
        ("x-api-key", True),
        ("cookie", True),
        ("passwd", True),
        ("key", False),
        ("passed", False),
        ("author", False),
        ("status", False),
    ],
)
def test_names_of_secrets(name, secret):
    assert names_secret(name) is secret
