"""The page behind the link that asks how it was: no sign-in, rate-limited, answered once."""

from typing import Any

from allauth.core import ratelimit
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core.errors import DomainError
from apps.core.guessing import too_many_guesses
from apps.core.words import NOTHING
from apps.tickets.domain.surveys import record_score, refuse_score, survey_of_token

SCORES = ((5, "5, very good"), (4, "4, good"), (3, "3, all right"), (2, "2, poor"), (1, "1, very poor"))


class ScoreForm(forms.Form):
    """Asks how it was."""

    score = forms.TypedChoiceField(label="How was it?", choices=(("", NOTHING), *SCORES), coerce=int)
    comment = forms.CharField(
        label="Anything you want to add", required=False, widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )
    unsolved = forms.BooleanField(label="It is not solved", required=False, help_text="Opens the ticket again.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the question, and keep the answer; looking at it does not use the link up."""
    if too_many_guesses(request, "ticket-survey"):
        refused: HttpResponse = ratelimit.respond_429(request)
        return refused
    person: Any = request.user if request.user.is_authenticated else None
    survey = survey_of_token(token)
    why = refuse_score(survey, person=person)
    if survey is None or why:
        return _said(request, "This cannot be answered now", why or "", status=410)
    form = ScoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _said(request, "Kept", record_score(survey, person=person, **form.cleaned_data))
        except DomainError as refusal:
            form.add_error(None, refusal.message)
    response = render(request, "tickets/survey.html", {"form": form, "survey": survey})
    # the address holds the token, so no other site may learn it; "no-referrer" would make browsers send the answer
    # with "Origin: null", which is refused as forged
    response["Referrer-Policy"] = "same-origin"
    return response


def _said(request: HttpRequest, headline: str, sentence: str, *, status: int = 200) -> HttpResponse:
    response = render(request, "tickets/survey.html", {"headline": headline, "sentence": sentence}, status=status)
    response["Referrer-Policy"] = "same-origin"
    return response
