"""Improvements: their five steps as buttons, the figures before and after as a picture, and the trail."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import access
from apps.core.access import visible
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.links import url_of
from apps.core.words import NOTHING
from apps.processes.admin.improvement_forms import GapForm, ProposeForm, SolutionForm
from apps.processes.domain import improving, proposing
from apps.processes.domain.measuring import in_words
from apps.processes.enums import Gain, ImprovementState, ProcessFigure
from apps.processes.models import Improvement, Process

SHOWN = 10
WIDTH, HEIGHT, BASE, TOP, BAR = 420, 190, 150, 24, 90
STATES = {
    ImprovementState.CLOSED.label: "success",
    ImprovementState.DROPPED.label: "default",
    **{each.label: "info" for each in list(ImprovementState)[:5]},
}
GAINS = {Gain.REACHED.label: "success", Gain.BETTER.label: "warning", Gain.NONE.label: "danger"}


PROPOSE = Button(
    "improve",
    "Start an improvement",
    proposing.propose_from_page,
    proposing.refuse_propose,
    form=ProposeForm,
    confirm="Five steps follow: measure, gap, solution, implement, validate.",
    icon="trending_up",
    hide_when_refused=True,
)


@dataclass(frozen=True)
class Bar:
    """One bar of the picture."""

    x: int
    y: float
    height: float
    value: str
    label: str
    kind: str

    @property
    def middle(self) -> float:
        """The middle of the bar."""
        return self.x + BAR / 2


def picture_of(row: Improvement) -> dict[str, Any] | None:
    """Return the figures before and after as bars, the target as a line; None before anything was measured."""
    if row.baseline is None:
        return None
    top = max(float(each) for each in (row.baseline, row.after or 0, row.target or 0)) or 1.0

    def height(value: Decimal) -> float:
        return round((BASE - TOP) * float(value) / top, 1)

    bars = [("Before", row.baseline, "before")] + ([("After", row.after, "after")] if row.after is not None else [])
    return {
        "width": WIDTH,
        "total": HEIGHT,
        "base": BASE,
        "bar": BAR,
        "bars": [
            Bar(60 + 150 * place, BASE - height(value), height(value), in_words(value, row.figure), label, kind)
            for place, (label, value, kind) in enumerate(bars)
        ],
        "target": round(BASE - height(row.target), 1) if row.target is not None else None,
        "target_words": in_words(row.target, row.figure),
        "words": "; ".join(f"{label}: {in_words(value, row.figure)}" for label, value, _ in bars),
    }


@admin.register(Improvement)
class ImprovementAdmin(MopsAdmin):
    """What gets better, and whether it did."""

    list_display = ("title", "document", "measured_by", "standing", "was", "became", "came_to", "owned_by", "due_on")
    list_filter = ("state", "gain", "figure", "process", "owner_person", "due_on")
    search_fields = ("title", "gap", "solution", "process__title")
    fields = (
        *("title", ("document", "measured_by"), ("measured_over", "due_on")),
        *(("owner_person", "owner_team"), ("backup_person", "backup_team"), "came_from"),
    )
    readonly_fields = ("document", "measured_by", "came_from")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    list_select_related = ("process", "owner_person", "owner_team")
    in_palette = True
    empty_state = "No improvement yet. Open a process and press “Start an improvement”."
    buttons = (
        Button(
            "baseline",
            "Capture the figure before",
            improving.take_baseline,
            improving.refuse_baseline,
            style="primary",
            confirm="mops counts the figure from the runs of the days it looks back, and keeps it for good.",
            hide_when_refused=True,
            icon="straighten",
        ),
        Button(
            "gap",
            "Describe the gap",
            improving.describe_gap,
            improving.refuse_gap,
            form=GapForm,
            style="primary",
            hide_when_refused=True,
            icon="search",
        ),
        Button(
            "solution",
            "Describe the solution",
            improving.describe_solution,
            improving.refuse_solution,
            form=SolutionForm,
            style="primary",
            hide_when_refused=True,
            icon="lightbulb",
        ),
        Button(
            "implemented",
            "It is implemented",
            improving.implemented,
            improving.refuse_implemented,
            form=ReasonForm,
            style="primary",
            confirm="Runs that begin from now on count as after the change.",
            hide_when_refused=True,
            icon="construction",
        ),
        Button(
            "validate",
            "Validate",
            improving.validate,
            improving.refuse_validate,
            form=ReasonForm,
            style="primary",
            confirm="mops counts the figure from the runs since the change and compares; the improvement is closed.",
            hide_when_refused=True,
            icon="verified",
        ),
        Button(
            "back",
            "Find another solution",
            improving.back_to_solution,
            improving.refuse_back,
            form=ReasonForm,
            hide_when_refused=True,
            icon="undo",
        ),
        Button(
            "drop",
            "Drop",
            improving.drop,
            improving.refuse_drop,
            form=ReasonForm,
            style="danger",
            confirm="It is given up for good; what was measured and said stays.",
            hide_when_refused=True,
            icon="block",
        ),
        *ARCHIVE_BUTTONS,
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Improvements are started from their process, or by another record."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is closed stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_open)

    @display(description="Process", ordering="process__title")
    def document(self, row: Improvement) -> str:
        """What gets better."""
        return str(row.process)

    @display(description="Measured by", ordering="figure")
    def measured_by(self, row: Improvement) -> str:
        """By which figure."""
        return ProcessFigure(row.figure).label

    @display(description="State", ordering="state", label=STATES)
    def standing(self, row: Improvement) -> str:
        """Where it stands."""
        return ImprovementState(row.state).label

    @display(description="Before", ordering="baseline")
    def was(self, row: Improvement) -> str:
        """The figure before."""
        return in_words(row.baseline, row.figure)

    @display(description="After", ordering="after")
    def became(self, row: Improvement) -> str:
        """The figure after."""
        return in_words(row.after, row.figure)

    @display(description="Came to", ordering="gain", label=GAINS)
    def came_to(self, row: Improvement) -> str:
        """What it came to."""
        return Gain(row.gain).label if row.gain else NOTHING

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, row: Improvement) -> str:
        """Who answers for it."""
        return str(row.owner or NOTHING)

    @display(description="Came from")
    def came_from(self, row: Improvement) -> str:
        """Of which kind the record is that it came from."""
        return str(row.content_type.name).capitalize() if row.content_type else "Started on its own"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show its steps, its figures and its trail."""
        row, extra = self.get_object(request, object_id), dict(extra_context or {})
        if row is not None:
            person: Any = request.user
            source = row.source
            seen = source is not None and access.may(person, "view", source)
            states = list(ImprovementState)[:5]
            place = states.index(ImprovementState(row.state)) if row.state in states else len(states)
            panel = {
                "template": "admin/processes/improvement_panel.html",
                "row": row,
                "steps": [
                    {"label": each.label, "done": number < place, "now": number == place}
                    for number, each in enumerate(states)
                ],
                "picture": picture_of(row),
                "events": [
                    {"event": event, "words": in_words(event.value, row.figure) if event.value is not None else ""}
                    for event in row.events.select_related("actor")
                ],
                "source": source if seen else None,
                "source_url": url_of(source) if seen else "",
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


def improvements_panel(request: HttpRequest, process: Process) -> list[dict[str, Any]]:
    """Return the box of a process with its improvements; none for people who see none."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", Improvement):
        return []
    rows = visible(person, Improvement).filter(process=process, archived_at__isnull=True)
    lines = [
        {"row": row, "before": in_words(row.baseline, row.figure), "after": in_words(row.after, row.figure)}
        for row in rows[:SHOWN]
    ]
    return [{"template": "admin/processes/process_improvements_panel.html", "lines": lines, "process": process}]
