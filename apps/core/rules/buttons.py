"""What the buttons of rules call where the operation returns more, or less, than a sentence."""

from typing import Any

from apps.core.errors import WrongState
from apps.core.jobs.api import enqueue
from apps.core.rules.domain.versions import refuse_draft, refuse_simulation, simulate, start_draft
from apps.core.rules.kinds import kind_named
from apps.core.rules.models import RuleDocument, RuleVersion


def start_draft_by_button(document: RuleDocument, *, by: Any) -> str:
    """Start a draft and say where it is."""
    version = start_draft(document, by=by)
    return f"Version {version.number} of {document} is a draft now; it stands in the list of versions below."


def refuse_restoring(user: Any, version: RuleVersion) -> str | None:
    """Return why `user` cannot start a draft from `version` now, None when it works."""
    if version.is_draft:
        return f"{version} is a draft already."
    return refuse_draft(user, version.document)


def restore_as_draft(version: RuleVersion, *, by: Any) -> str:
    """Start a draft with the rules of an earlier version."""
    made = start_draft(version.document, by=by, like=version)
    return f"Version {made.number} of {version.document} is a draft with the rules of version {version.number}."


def simulate_now(version: RuleVersion, *, by: Any) -> str:
    """Simulate at once, or in the background where that takes long."""
    if refused := refuse_simulation(by, version):
        raise WrongState(refused)
    if kind_named(version.document.kind).in_background:
        enqueue("rules.simulate", args={"version_id": version.pk}, by=by)
        return "The simulation runs in the background; its result appears on this page."
    simulate(version, by=by)
    return f"{version} is simulated: what would come of it stands below. Nothing was changed."
