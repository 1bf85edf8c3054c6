"""What the desk does with a ticket, as the buttons of its page."""

from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.tickets.admin import forms
from apps.tickets.domain import about, escalation, follow_ups, linking, moves, problems, procedure, routing
from apps.tickets.domain.rows import refuse_active_work, refuse_work

BUTTONS = (
    Button("take", "Take it", moves.take, moves.refuse_take, style="primary"),
    Button("go-on", "Go on", moves.go_on, moves.refuse_going_on),
    Button("wait", "Let it wait", moves.wait, moves.refuse_wait, form=forms.WaitForm, confirm="Its time stands still."),
    Button(
        "resolve",
        "Resolve",
        moves.resolve,
        moves.refuse_resolve,
        form=forms.ResolveForm,
        confirm="The requester is told and asked how it was, and may come back for the days its queue allows.",
        style="primary",
    ),
    Button("close", "Close", moves.close, moves.refuse_close, form=NoteForm, confirm="It is closed."),
    Button(
        "reopen",
        "Reopen",
        moves.reopen,
        moves.refuse_reopen,
        form=ReasonForm,
        confirm="It is open again and counts as reopened.",
    ),
    Button("assign", "Hand over", moves.assign, refuse_active_work, form=forms.AssignForm),
    Button(
        "route",
        "Route again",
        routing.route_again,
        routing.refuse_routing,
        form=ReasonForm,
        confirm="The rules in force decide anew about its queue and its person; the reason is shown here.",
    ),
    Button(
        "priority",
        "Change priority",
        moves.set_priority,
        moves.refuse_priority,
        form=forms.PriorityForm,
        confirm="The priority follows from both, and its promised times with it.",
    ),
    Button(
        "escalate",
        "Escalate",
        escalation.escalate_by_hand,
        escalation.refuse_escalation,
        form=forms.EscalateForm,
        confirm="The whole team, its assignee's manager and the owner of its agreement are told at once.",
    ),
    Button(
        "merge",
        "Merge",
        linking.merge_into,
        linking.refuse_merge,
        form=forms.MergeForm,
        confirm="This ticket is closed as a duplicate; both keep their trails, and the other shows both.",
    ),
    Button("link", "Link", linking.link_tickets, refuse_work, form=forms.LinkForm),
    Button("about", "Link a record", about.link_record, refuse_work, form=forms.RecordForm),
    Button("problem", "Name its problem", problems.name_problem, problems.refuse_naming, form=forms.ProblemForm),
    Button("points", "Add to checklist", linking.add_points, refuse_active_work, form=forms.PointsForm),
    Button("time", "Add time", linking.spend_time, refuse_work, form=forms.TimeForm),
    Button(
        "procedure",
        "Start its procedure",
        procedure.start_procedure,
        procedure.refuse_run,
        confirm="A run of the process that its type names starts for this ticket; its steps stand under the run.",
    ),
    Button("follow-up", "Plan a follow-up", follow_ups.plan_follow_up, refuse_work, form=forms.FollowUpForm),
    Button("watch", "Watch", linking.watch, linking.refuse_watch),
    Button("unwatch", "Stop watching", linking.unwatch, linking.refuse_unwatch),
)
