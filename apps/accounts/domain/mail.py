"""Mails about accounts: rendered here, sent inside the operation, so that what was not sent did not happen."""

import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from apps.core.errors import WrongState


def send(to: str, subject: str, template: str, context: dict[str, Any]) -> None:
    """Send a plain-text mail from `templates/accounts/mail/<template>.txt`.

    Raises:
        WrongState: no mail server took it; the caller's transaction takes everything back.
    """
    body = render_to_string(f"accounts/mail/{template}.txt", {"public_url": settings.PUBLIC_URL, **context})
    try:
        send_mail(subject, body.strip() + "\n", None, [to])
    except (smtplib.SMTPException, OSError) as error:
        raise WrongState(
            "The mail server did not take the mail, so nothing was changed. Try again; if it stays so, have EMAIL_URL "
            "checked."
        ) from error
