"""Standard operating procedures, their versions and runs."""

from django.apps import AppConfig
from django.urls import reverse


class ProcessesConfig(AppConfig):
    """The processes application."""

    name = "apps.processes"
    label = "processes"
    verbose_name = "Processes"

    def ready(self) -> None:
        """Tell the kits below what processes bring: approvals, scopes, boxes on the home page, news, demo."""
        _approved()
        _scoped()
        _shown()
        _told()
        _governed()


def _approved() -> None:
    """Let versions of SOPs and waivers of steps be approved."""
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be ready
    from apps.processes import models, permissions  # noqa: PLC0415
    from apps.processes.domain import compliance_gate, exceptions, maturity, publishing, waiving  # noqa: PLC0415

    register(
        models.SOPVersion,
        ApprovalSubject(
            material=("change_log", "is_material", "effective_from", "flow", "body", "questions"),
            apply=publishing.accept,
            on_refused=publishing.return_to_draft,
            markdown=("body", "change_log"),
            before=publishing.payload_in_force,
            facts=publishing.facts_to_decide_on,
            fact_fields=publishing.fact_fields(),
            preview=lambda version: reverse("admin:processes_sopversion_change", args=(version.pk,)),
            checks={"complies": lambda version: compliance_gate.unmet_sentences(version.process)},
            keeps_out=lambda version, person: permissions.keeps_out(version.process, person),
            related=("process",),
        ),
    )
    register(
        models.StepWaiver,
        ApprovalSubject(
            material=("run_step", "reason"),
            apply=waiving.accept_waiver,
            on_refused=waiving.drop_waiver,
            keeps_out=lambda waiver, person: permissions.keeps_out(waiver.run_step.run.process, person),
        ),
    )
    register(
        models.ComplianceWaiver,
        ApprovalSubject(
            material=("rule", "subject_label", "reason", "until"), apply=exceptions.accept, on_refused=exceptions.drop
        ),
    )
    register(
        models.MaturityOverride,
        ApprovalSubject(
            material=("process", "level", "reason", "until"),
            apply=maturity.accept_override,
            on_refused=exceptions.drop,
        ),
    )


def _scoped() -> None:
    """Narrow who reads what, and name what a person answers for."""
    from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
    from apps.core.access import register_about, register_own, register_scope  # noqa: PLC0415
    from apps.core.records import scope_by_record  # noqa: PLC0415
    from apps.processes import models, permissions  # noqa: PLC0415
    from apps.processes.domain import queries  # noqa: PLC0415

    register_scope(models.Process, permissions.visible_processes)
    register_about(models.Run, kinds=permissions.kinds_behind_runs)
    for model, path in (
        (models.SOPVersion, "process"),
        (models.Stakeholder, "process"),
        (models.TrainingRequirement, "process"),
        (models.Acknowledgement, "version__process"),
        (models.Review, "process"),
        (models.Feedback, "process"),
        (models.Step, "version__process"),
        (models.StepEdge, "version__process"),
        (models.Run, "process"),
        (models.RunStep, "run__process"),
        (models.RunStepEvent, "run__process"),
        (models.StepWaiver, "run_step__run__process"),
        (models.Recurrence, "process"),
        (models.Occurrence, "recurrence__process"),
        (models.Improvement, "process"),
        (models.ImprovementEvent, "improvement__process"),
    ):
        register_scope(model, permissions.by_process(path))
    register_scope(models.MaturityAssessment, permissions.of_process_or_whole)
    register_scope(models.MaturityOverride, permissions.of_process_or_whole)
    for about in (models.ComplianceStanding, models.ComplianceResult, models.ComplianceWaiver):
        register_scope(about, scope_by_record)
    for kind, path, state in (
        (models.Process, "", ""),
        (models.SOPVersion, "process__", "state"),
        (models.Step, "version__process__", "version__state"),
    ):
        register_own(kind, permissions.must_be_read_by(path, state))
    register_ownership(models.RunStep, "assignee", "person to carry out", still_matters=queries.open_steps)


def _shown() -> None:
    """Boxes of the home page, what is overdue, figures on the map, chapters of the demo."""
    from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415  # models must be ready
    from apps.core.demo import register_chapter  # noqa: PLC0415
    from apps.core.overdue import register_overdue  # noqa: PLC0415
    from apps.processes import demo_governance, demo_handbook  # noqa: PLC0415
    from apps.processes.admin.home import processes_panel  # noqa: PLC0415
    from apps.processes.admin.my_steps import my_steps_panel  # noqa: PLC0415
    from apps.processes.demo import tell  # noqa: PLC0415
    from apps.processes.domain import automations, figures, improving, overlay, queries, triggers  # noqa: PLC0415

    register_panel(Panel("processes", 45, "admin/processes/home_panel.html", processes_panel))
    register_panel(Panel("my-steps", 15, "admin/processes/my_steps_panel.html", my_steps_panel))
    register_overdue(queries.overdue_reviews)
    register_overdue(queries.overdue_runs)
    register_overdue(automations.overdue_automations)
    register_overdue(improving.overdue_improvements)
    overlay.register_overlay(figures.overlay)
    triggers.register_occasion("technology.implementing", "A tool is implemented")  # a neighbour that imports us not
    register_chapter("handbook", demo_handbook.tell)
    register_chapter("runs of processes", tell)
    register_chapter("governance of processes", demo_governance.tell)


def _told() -> None:
    """The news that processes send to people, and what belongs to the story of one."""
    from apps.audit.belonging import register_belonging  # noqa: PLC0415  # models must be ready
    from apps.core.notifications.enums import Importance  # noqa: PLC0415  # models must be ready
    from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
    from apps.processes import models  # noqa: PLC0415
    from apps.processes.domain import doing, story, telling  # noqa: PLC0415

    register_belonging(models.Process, "processes", story.parts_of_process)
    register_belonging(models.SOPVersion, "processes", story.parts_of_version)
    register_belonging(models.Run, "processes", story.parts_of_run)
    register_kind(doing.ASSIGNED, "A step of a run is mine")
    register_kind(telling.READ, "A version I must read", importance=Importance.HIGH)
    register_kind(telling.REVIEW_DUE, "A process of mine is due for review")
    register_kind(telling.REVIEW_LATE, "A review is two weeks late", importance=Importance.HIGH)
    register_kind(telling.FEEDBACK, "Feedback about a process of mine")
    register_kind(telling.ANSWERED, "An answer to my feedback")


def _governed() -> None:
    """What compliance rules can ask, what narrows them, and what phases of the roadmap are measured by."""
    from apps.core.conformity import register_judge  # noqa: PLC0415  # models must be ready
    from apps.core.rules.predicates import Catalog, model_fields, register_catalog  # noqa: PLC0415  # models first
    from apps.processes import models  # noqa: PLC0415
    from apps.processes.domain import check_register, compliance_gate, scorecard  # noqa: PLC0415

    fields = ("family", "criticality", "level", "classification", "stakeholder_access", "persona", "review_every")
    register_catalog(models.Process, lambda: Catalog(fields=model_fields(models.Process, "title", *fields)))
    check_register.register()
    register_judge(compliance_gate.judge_transition)
    scorecard.register()
