"""Running the checks over a version, and signing their levels off one after the other."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.content import live_digest
from apps.approvals.domain.decisions import request_approval
from apps.content.domain.moves import locked, move
from apps.content.domain.packs import PackReader, active_packs
from apps.content.domain.qa.engine import Checker
from apps.content.domain.surroundings import given_of, known_around, others_of, values_of_versions
from apps.content.enums import LEVELS, CheckKind, ExceptionState, Level, Severity, VersionState
from apps.content.models import ContentVersion, FindingWaiver, QaFinding, QaRun, QaSignOff
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_run(user: "User", version: ContentVersion) -> str | None:
    """Return why `user` cannot run the checks over `version` now, None when it works."""
    may = access.can(user, "change", version) or access.has_model_permission(user, "check", ContentVersion)
    if not may:
        return "Only authors and checkers run the checks."
    if version.state not in (VersionState.DRAFT, VersionState.QA):
        return f"{version} is {VersionState(version.state).label.lower()}; what was found then stands below."
    return None


def check_now(version: ContentVersion, *, by: "User", at: dt.datetime | None = None) -> str:
    """Run the checks over a draft or a version in the checks, and say what they found: what the button calls.

    Raises:
        NotAllowed, WrongState: as `refuse_run` says.
    """
    if refused := refuse_run(by, version):
        late = version.state not in (VersionState.DRAFT, VersionState.QA)
        raise (WrongState if late else NotAllowed)(refused)
    return f"Checked: {told(run_checks(version, by=by, at=at))}"


def told(run: Any) -> str:
    """Return what a run of the checks found, in a sentence."""
    if not run.rules:
        return "no rule pack is active, so nothing was looked for."
    if not run.blocking and not run.warnings:
        return f"{run.rules} rules found nothing."
    return f"{run.rules} rules found {run.blocking} that block and {run.warnings} to look at."


def run_checks(version: ContentVersion, *, by: "User", at: dt.datetime | None = None) -> QaRun:
    """Run all rules in force over a version and keep what they found: the text is read once."""
    moment = at or clock.now()
    packs = active_packs()
    claims, fields = known_around()
    values = values_of_versions([version.pk])[version.pk]
    rules = [rule for pack in packs for rule in PackReader(pack).rules_for(values, at=moment)]
    compared = any(rule.check == CheckKind.CONSISTENCY for rule in rules)
    others = others_of([version])[version.pk] if compared else ()
    found = Checker(rules, claims=claims).check(given_of(version, claims, fields, others), today=moment.date())
    waived = waived_fingerprints(version, moment.date())
    with transaction.atomic(), acting_as(by):
        run = QaRun.objects.create(
            version=version,
            digest=version.digest or live_digest(version),
            packs=[{"document": each.document.key, "version": each.pk, "number": each.number} for each in packs],
            rules=len(rules),
            blocking=sum(each.severity == Severity.BLOCK and each.fingerprint not in waived for each in found),
            warnings=sum(each.severity == Severity.WARN for each in found),
            at=moment,
            by=by,
        )
        QaFinding.objects.bulk_create(
            QaFinding(
                run=run,
                rule=each.rule,
                name=each.name,
                check_kind=each.check,
                severity=each.severity,
                level=each.level,
                part=each.part,
                line=each.line,
                column=each.column,
                excerpt=each.excerpt,
                sentence=each.sentence,
                fingerprint=each.fingerprint,
            )
            for each in found
        )
    return run


def waived_fingerprints(version: ContentVersion, day: dt.date) -> set[str]:
    """Return the findings of a version's content that do not hold it back on a day."""
    rows = FindingWaiver.objects.filter(
        asset=version.asset_id, state=ExceptionState.APPROVED, until__gte=day, archived_at__isnull=True
    )
    return set(rows.values_list("fingerprint", flat=True))


def newest_run(version: ContentVersion) -> QaRun | None:
    """Return the newest run of the checks over a version, None where there was none."""
    return version.qa_runs.select_related("by").order_by("-pk").first()


def holding_back(version: ContentVersion, day: dt.date, *, level: str = "") -> list[QaFinding]:
    """Return the findings of the newest run that hold a version back: blocking ones without a waiver in force."""
    run = newest_run(version)
    if run is None:
        return []
    grave = run.findings.filter(severity=Severity.BLOCK)
    waived = waived_fingerprints(version, day)
    return [each for each in grave if each.fingerprint not in waived and level in ("", each.level)]


def signed_levels(version: ContentVersion) -> list[str]:
    """Return the levels that are signed off for the submission that waits now."""
    if version.submitted_at is None:
        return []
    return list(version.sign_offs.filter(submitted_at=version.submitted_at).values_list("level", flat=True))


def next_level(version: ContentVersion) -> Level | None:
    """Return the level that is signed off next, None where all are."""
    done = signed_levels(version)
    return next((each for each in LEVELS if each.value not in done), None)


def refuse_sign_off(user: "User", version: ContentVersion, *, day: dt.date | None = None) -> str | None:
    """Return why `user` cannot sign the next level of `version` off now, None when it works."""
    if version.state != VersionState.QA:
        return f"{version} is {VersionState(version.state).label.lower()}; levels are signed off in the checks."
    if not access.has_model_permission(user, "check", ContentVersion):
        return "Your roles do not let you sign checks off."
    if version.author_id == user.pk:
        return "You wrote it, so somebody else signs its checks off."
    level = next_level(version)
    if level is None:
        return "All levels are signed off."
    if open_ones := holding_back(version, day or clock.today(), level=level.value):
        more = f" and {len(open_ones) - 1} more" if len(open_ones) > 1 else ""
        first = open_ones[0]
        return (
            f"The {level.label.lower()} level is held back by {first.name} ({first.where}){more}. "
            "Send it back, or ask for a waiver on the page of the finding."
        )
    return None


def sign_off(version: ContentVersion, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Sign the next level off, after running the checks again; after the last one the approval is asked for.

    Raises:
        NotAllowed, WrongState: as `refuse_sign_off` says, or nobody could approve.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(version)
        if row.state == VersionState.QA:
            run_checks(row, by=by, at=moment)
        if refused := refuse_sign_off(by, row, day=moment.date()):
            may = access.has_model_permission(by, "check", ContentVersion) and row.author_id != by.pk
            raise (WrongState if may else NotAllowed)(refused)
        level, run = next_level(row), newest_run(row)
        assert level is not None and run is not None and row.submitted_at is not None  # noqa: S101, PT018  # refused above
        QaSignOff.objects.create(
            version=row,
            level=level,
            digest=row.digest,
            run=run,
            note=note[:500],
            at=moment,
            by=by,
            submitted_at=row.submitted_at,
        )
        following = next_level(row)
        if following is not None:
            return f"{level.label} checks are signed off; {following.label.lower()} checks are next."
        move(row, VersionState.IN_REVIEW)
        request = request_approval(row, by=row.author, note=note, at=at)
    return f"All levels are signed off: {row} is in review; {request.required} must approve it."
