"""How mail leaves mops; without a server it stays readable in the product."""

import environ

from mops.settings.current import ENV

DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.default_from_email
if ENV.email_url:
    _mail = environ.Env.email_url_config(ENV.email_url)
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
    EMAIL_HOST = _mail.get("EMAIL_HOST") or "localhost"
    EMAIL_PORT = _mail.get("EMAIL_PORT") or 25
    EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
    EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
    EMAIL_USE_TLS = bool(_mail.get("EMAIL_USE_TLS"))
    EMAIL_USE_SSL = bool(_mail.get("EMAIL_USE_SSL"))
    EMAIL_TIMEOUT = 10
else:
    EMAIL_BACKEND = "apps.core.notifications.mail.StoredMailBackend"
