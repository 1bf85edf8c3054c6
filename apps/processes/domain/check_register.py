"""The checks of this app as compliance rules name them: what each asks, of which rows, and the way out."""

from apps.processes.domain.checks import (
    FEEDBACK_DAYS,
    RUN_DAYS,
    automation_described,
    automation_is_used,
    automation_registered,
    enough_qualified,
    feedback_answered,
    in_force,
    live_processes,
    owned,
    processes_in_force,
    purpose_known,
    quota_reached,
    recent_runs,
    reviewed,
    run_conforms,
    run_on_time,
    tool_known,
    tools_in_use,
)
from apps.processes.models import Automation
from apps.processes.registry import register_check

NAME_THEM = "Name an owner and a backup on its page."


def register() -> None:
    """Make the checks of this app known."""
    _register_standing()
    _register_people()
    _register_runs()
    _register_machines()


def _register_standing() -> None:
    """How a process stands: owned, in force, reviewed."""
    register_check(
        "processes.owned",
        "A process has an owner and a backup",
        live_processes,
        owned,
        process="",
        help="Fails where nobody answers for a process, or nobody stands in.",
        way_out=NAME_THEM,
    )
    register_check(
        "processes.in_force",
        "A process has a version with steps in force",
        live_processes,
        in_force,
        process="",
        help="Fails where a process is only drafted, or described without steps.",
        way_out="Write a new version with its steps and send it for approval.",
    )
    register_check(
        "processes.reviewed",
        "A process is reviewed in time",
        processes_in_force,
        reviewed,
        process="",
        help="Fails from the day after the review was due.",
        way_out="Begin a review on its page, or record that nothing changed.",
    )


def _register_people() -> None:
    """Who has read a process, is qualified for it, and what they said of it."""
    register_check(
        "processes.read",
        "Enough people have read the version in force",
        processes_in_force,
        quota_reached,
        process="",
        help="Fails where a role that must read the version has not reached its quota.",
        way_out="Ask the people named to open the version and confirm that they have read it.",
    )
    register_check(
        "processes.two_qualified",
        "Two people are qualified for a process",
        processes_in_force,
        enough_qualified,
        process="",
        help="Fails where a process with required reading hangs on one person, or on nobody.",
        way_out="Train a second person: name their role under required reading and let them confirm the version.",
    )
    register_check(
        "processes.feedback_answered",
        f"Feedback is answered within {FEEDBACK_DAYS} days",
        live_processes,
        feedback_answered,
        process="",
        help="Fails where what practitioners said lies about.",
        way_out="Answer the feedback: accepted, later or declined, each with why.",
    )


def _register_machines() -> None:
    """What machines do, and the tools it is done with."""
    register_check(
        "processes.automation_registered",
        "Automated steps stand in the register",
        processes_in_force,
        automation_registered,
        process="",
        help="Fails where a step in force is automated and no automation in use is linked to it.",
        way_out="Add the automation with trigger, logic and exceptions, and link it to the step.",
    )
    register_check(
        "processes.automation_described",
        "An automation has an owner and a system",
        Automation.objects.in_use,
        automation_described,
        help="Fails where nobody answers for an automation, or nothing says where it runs.",
        way_out="Name both on the page of the automation.",
    )
    register_check(
        "processes.automation_reviewed",
        "An automation is reviewed in time",
        Automation.objects.in_use,
        reviewed,
        help="Fails from the day after the review was due.",
        way_out="Compare what it does with what is written, and press “Reviewed”.",
    )
    register_check(
        "processes.automation_used",
        "An automation is linked to a step in force",
        Automation.objects.in_use,
        automation_is_used,
        help="Fails where no step of a version in force is carried out by it.",
        way_out="Link it to the steps it carries out, or retire it.",
    )
    register_check(
        "technology.tool_owned",
        "A tool has an owner in mops",
        tools_in_use,
        tool_known,
        help="Fails where neither a person nor a team of mops answers for a tool in use.",
        way_out=NAME_THEM,
    )
    register_check(
        "technology.purpose_known",
        "A tool with confidential data says which",
        tools_in_use,
        purpose_known,
        help="Fails where a tool is classified orange or red and nothing says which data it collects.",
        way_out="Fill in “collected data” on its page.",
    )


def _register_runs() -> None:
    """How runs go."""
    register_check(
        "processes.run_on_time",
        "A run is finished by its day",
        recent_runs,
        run_on_time,
        process="process",
        help="Fails where a run is under way after the day it was due.",
        way_out="Finish the run, or call it off with a reason.",
    )
    register_check(
        "processes.run_conforms",
        "A run follows its process",
        recent_runs,
        run_conforms,
        process="process",
        help=f"Fails for {RUN_DAYS} days where a finished run left out a blocking step or changed its version.",
        way_out="Find out why the process did not fit; give feedback, or start an improvement.",
    )
