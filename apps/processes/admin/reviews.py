"""Reviews and feedback: what changed since the last review, what people say, and what comes of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.processes.domain.changes import changes_since_last_review
from apps.processes.domain.feedback import answer_feedback, refuse_answer
from apps.processes.domain.reviews import close_review, refuse_close, start_review
from apps.processes.enums import Disposition, ReviewOutcome
from apps.processes.models import Feedback, Process, Review

SHOWN = 10


class CloseForm(forms.Form):
    """What a review comes to."""

    outcome = forms.ChoiceField(
        choices=ReviewOutcome.choices,
        help_text="Minor change and revise start a draft; retire takes the version out of force and archives it.",
    )
    notes = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}), help_text="What was looked at, with whom, and what was found."
    )


class FeedbackForm(forms.Form):
    """What somebody says about a process."""

    text = forms.CharField(
        label="What does not work, is missing, or could be better?", widget=forms.Textarea(attrs={"rows": 4})
    )
    step = forms.SlugField(
        required=False,
        help_text="Optional: the key of the step it is about, as its page shows it, for instance “plan”.",
    )


class AnswerForm(forms.Form):
    """What becomes of feedback."""

    disposition = forms.ChoiceField(
        label="What becomes of it", choices=[each for each in Disposition.choices if each[0] != Disposition.OPEN]
    )
    answer = forms.CharField(label="Why", widget=forms.Textarea(attrs={"rows": 3}))


def begin_review(process: Process, *, by: Any) -> str:
    """Begin a review and say where it is."""
    review = start_review(process, by=by)
    return f"{review} is begun; it stands among the reviews below."


def review_panel(request: HttpRequest, process: Process) -> dict[str, Any]:
    """Return the box with the reviews of a process and the feedback about it."""
    person: Any = request.user
    return {
        "template": "admin/processes/reviews_panel.html",
        "reviews": access.visible(person, Review).filter(process=process).select_related("reviewer")[:SHOWN],
        "feedback": access.visible(person, Feedback).filter(process=process).select_related("author")[:SHOWN],
        "more": f"{reverse('admin:processes_feedback_changelist')}?process__id__exact={process.pk}",
    }


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Reviews: begun on the page of the process, closed here."""

    list_display = ("process", "standing", "reviewer", "due_on", "opened_at", "closed_at")
    list_filter = ("outcome", "process__family", "reviewer")
    search_fields = ("process__title", "notes")
    list_select_related = ("process", "reviewer")
    fields = ("process", "version", "reviewer", "due_on", "opened_at", "standing", "notes", "closed_at")
    empty_state = "No review yet. Open a process with a version in force and press “Begin a review”."
    buttons = (
        Button(
            "close",
            "Close with an outcome",
            close_review,
            refuse_close,
            form=CloseForm,
            confirm="The outcome is carried out at once, and the next review is counted from today.",
            style="primary",
            icon="task_alt",
            hide_when_refused=False,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what the page shows with the rows."""
        return super().get_queryset(request).select_related("process", "version__process", "reviewer")

    @display(description="Outcome", ordering="outcome", label={"Under way": "warning"})
    def standing(self, review: Review) -> str:
        """What it came to."""
        return "Under way" if review.is_open else ReviewOutcome(review.outcome).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what changed since the last review."""
        review, extra = self.get_object(request, object_id), dict(extra_context or {})
        if review is not None:
            panel = {
                "template": "admin/processes/changes_panel.html",
                "review": review,
                "changes": changes_since_last_review(review),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """Feedback: given on the page of the process, answered here."""

    list_display = ("excerpt", "process", "author", "standing", "created_at")
    list_filter = ("disposition", "process")
    search_fields = ("text", "answer", "process__title")
    list_select_related = ("process", "author")
    fields = ("process", "step_key", "author", "created_at", "text", "standing", "answer", "answered_by", "answered_at")
    empty_state = "No feedback yet. People who work by a process press “Give feedback” on its page."
    buttons = (
        Button("answer", "Answer", answer_feedback, refuse_answer, form=AnswerForm, style="primary", icon="reply"),
    )

    @display(description="Feedback", ordering="text")
    def excerpt(self, feedback: Feedback) -> str:
        """The beginning of what was said."""
        return str(feedback)

    @display(
        description="Answer",
        ordering="disposition",
        label={"Open": "warning", "Accepted": "success", "Later": "info"},
    )
    def standing(self, feedback: Feedback) -> str:
        """What became of it."""
        return Disposition(feedback.disposition).label
