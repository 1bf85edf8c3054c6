"""The words of processes: families, states of a version, kinds of steps, and who may read."""

from django.db import models

LONGEST_TEXT = 400_000  # characters of what a process says, in the editor and as a file


class Family(models.TextChoices):
    """The families of standard processes."""

    CAMPAIGN = "campaign", "Campaign"
    LEAD = "lead", "Lead"
    CONTENT = "content", "Content"
    OPERATIONS = "operations", "Operations"


class Criticality(models.TextChoices):
    """How much it hurts when the process fails or nobody can run it."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class Level(models.IntegerChoices):
    """How close to the work the document is."""

    SUMMARY = 1, "Level 1 · summary"
    FRAMEWORK = 2, "Level 2 · framework"
    PROCEDURE = 3, "Level 3 · procedure"


class Classification(models.TextChoices):
    """How far what it says may travel."""

    PUBLIC = "public", "Public"
    INTERNAL = "internal", "Internal"
    CONFIDENTIAL = "confidential", "Confidential"
    RESTRICTED = "restricted", "Restricted"


class StakeholderAccess(models.TextChoices):
    """Who may read it; enforced on every page, search, export and history."""

    EVERYBODY = "everybody", "Everybody who may see processes"
    STAKEHOLDERS = "stakeholders", "Only its owners and stakeholders"


class VersionState(models.TextChoices):
    """Where a version stands. What is approved waits for its date and its readers, then supersedes the one before."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    EFFECTIVE = "effective", "In force"
    SUPERSEDED = "superseded", "Superseded"
    RETIRED = "retired", "Retired"


OPEN_STATES = (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.APPROVED)
READABLE = (VersionState.APPROVED, VersionState.EFFECTIVE)  # what is read and confirmed


class StepKind(models.TextChoices):
    """What is done at a step."""

    MANUAL = "manual", "Work"
    CHECK = "check", "Check"
    APPROVAL = "approval", "Approval"
    EVIDENCE = "evidence", "Evidence"
    AUTOMATED = "automated", "Automated"
    DECISION = "decision", "Decision"


class StepMode(models.TextChoices):
    """How much of a step a machine does."""

    MANUAL = "manual", "By hand"
    ASSISTED = "assisted", "Assisted"
    AUTOMATED = "automated", "Automated"


class ReviewEvery(models.IntegerChoices):
    """How many months may pass between two reviews."""

    MONTH = 1, "Every month"
    QUARTER = 3, "Every quarter"
    HALF_YEAR = 6, "Every half year"
    YEAR = 12, "Every year"


class ReviewOutcome(models.TextChoices):
    """What a review comes to."""

    NO_CHANGE = "no_change", "No change"
    MINOR = "minor", "Minor change"
    REVISE = "revise", "Revise"
    RETIRE = "retire", "Retire"


class Disposition(models.TextChoices):
    """What becomes of a piece of feedback."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    LATER = "later", "Later"
    DECLINED = "declined", "Declined"


class RunState(models.TextChoices):
    """Where a run stands."""

    ACTIVE = "active", "Under way"
    DONE = "done", "Finished"
    CANCELLED = "cancelled", "Called off"


class StepState(models.TextChoices):
    """Where a step of a run stands."""

    LATER = "later", "Not yet"
    TODO = "todo", "To do"
    DOING = "doing", "In work"
    WAITING = "waiting", "Waiting"
    FAILED = "failed", "Failed"
    DONE = "done", "Done"
    WAIVED = "waived", "Waived"
    SKIPPED = "skipped", "Not taken"


OPEN_STEPS = (StepState.TODO, StepState.DOING, StepState.WAITING, StepState.FAILED)
CLOSED_STEPS = (StepState.DONE, StepState.WAIVED, StepState.SKIPPED)


class StepDeed(models.TextChoices):
    """What happened to a step of a run: the words of its trail."""

    OPENED = "opened", "became due"
    ASSIGNED = "assigned", "was assigned"
    STARTED = "started", "was started"
    WAITED = "waited", "waits"
    RESUMED = "resumed", "went on"
    FAILED = "failed", "failed"
    DONE = "done", "was done"
    WAIVED = "waived", "was waived"
    SKIPPED = "skipped", "was not taken"
    REOPENED = "reopened", "was reopened"
    MOVED = "moved", "went to another version"


class WaiverState(models.TextChoices):
    """What becomes of the wish to leave out a blocking step."""

    DRAFT = "draft", "Not sent"
    IN_REVIEW = "in_review", "Waits for approval"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"


class Every(models.IntegerChoices):
    """How often a process comes round; weeks are told apart from months by being zero months."""

    WEEK = 0, "Every week"
    MONTH = 1, "Every month"
    QUARTER = 3, "Every quarter"
    YEAR = 12, "Every year"


class Shift(models.TextChoices):
    """What becomes of a date on which nobody works."""

    KEEP = "keep", "Stays on that day"
    BEFORE = "before", "The working day before"
    AFTER = "after", "The working day after"
    OMIT = "omit", "Is left out"


class Outcome(models.TextChoices):
    """What became of one date of a recurrence."""

    MADE = "made", "Started"
    SKIPPED = "skipped", "Skipped"
    MISSED = "missed", "Missed"


class Standing(models.TextChoices):
    """How one record stands against one rule."""

    PASSED = "passed", "Met"
    FAILED = "failed", "Not met"
    WAIVED = "waived", "Waived"
    OUT = "out", "Does not apply"


class Trigger(models.TextChoices):
    """What sets an automation off."""

    EVENT = "event", "Something happens"
    SCHEDULE = "schedule", "By the clock"
    PERSON = "person", "Somebody starts it"


class AutomationState(models.TextChoices):
    """Whether an automation runs."""

    LIVE = "live", "In use"
    RETIRED = "retired", "Retired"


class ProcessFigure(models.TextChoices):
    """The figures of a process that an improvement can be bound to."""

    EXECUTION = "execution", "Execution time (working minutes)"
    WAITING = "waiting", "Waiting time per step (working minutes)"
    REWORK = "rework", "Rework rate (%)"
    ERRORS = "errors", "Error rate (%)"
    AUTOMATION = "automation", "Automation coverage (%)"
    CONFORMANCE = "conformance", "Conformance (%)"

    @property
    def less_is_better(self) -> bool:
        """Whether the figure has to go down."""
        return self not in (ProcessFigure.AUTOMATION, ProcessFigure.CONFORMANCE)

    @property
    def unit(self) -> str:
        """What it is counted in."""
        return "min" if self in (ProcessFigure.EXECUTION, ProcessFigure.WAITING) else "%"


class MeasuredOver(models.IntegerChoices):
    """How far back the figure before a change looks."""

    MONTH = 30, "30 days"
    QUARTER = 90, "90 days"
    YEAR = 365, "A year"


class ImprovementState(models.TextChoices):
    """Where an improvement stands: the five steps, and its two ends."""

    MEASURE = "measure", "1 · Measure"
    GAP = "gap", "2 · Gap"
    SOLUTION = "solution", "3 · Solution"
    IMPLEMENT = "implement", "4 · Implement"
    VALIDATE = "validate", "5 · Validate"
    CLOSED = "closed", "Closed"
    DROPPED = "dropped", "Dropped"


class Gain(models.TextChoices):
    """What an improvement came to, by its figures."""

    REACHED = "reached", "Target reached"
    BETTER = "better", "Better, short of the target"
    NONE = "none", "Not better"


class MaturityLevel(models.IntegerChoices):
    """How mature a process is."""

    BELOW = 0, "Below foundational"
    FOUNDATIONAL = 1, "Foundational"
    MANAGED = 2, "Managed"
    OPTIMISED = 3, "Optimised"
