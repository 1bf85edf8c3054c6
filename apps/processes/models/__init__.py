"""Processes: the register, what each says, its steps, who has read it, and its reviews."""

from apps.processes.models.automation import AutomatedStep, Automation
from apps.processes.models.compliance import (
    ComplianceResult,
    ComplianceRule,
    ComplianceStanding,
    ComplianceWaiver,
)
from apps.processes.models.flow import Step, StepEdge
from apps.processes.models.improvements import Improvement, ImprovementEvent
from apps.processes.models.maturity import ExitCriterion, MaturityAssessment, MaturityOverride, RoadmapPhase
from apps.processes.models.packs import GovernancePack
from apps.processes.models.reading import Acknowledgement, TrainingRequirement
from apps.processes.models.recurrence import Occurrence, Recurrence
from apps.processes.models.register import Process, ProcessQuerySet, ProcessRole, Stakeholder
from apps.processes.models.reviews import Feedback, Review
from apps.processes.models.runs import Run, RunStep, RunStepEvent, StepWaiver
from apps.processes.models.versions import SOPVersion

__all__ = [
    "Acknowledgement",
    "AutomatedStep",
    "Automation",
    "ComplianceResult",
    "ComplianceRule",
    "ComplianceStanding",
    "ComplianceWaiver",
    "ExitCriterion",
    "Feedback",
    "GovernancePack",
    "Improvement",
    "ImprovementEvent",
    "MaturityAssessment",
    "MaturityOverride",
    "Occurrence",
    "Process",
    "ProcessQuerySet",
    "ProcessRole",
    "Recurrence",
    "Review",
    "RoadmapPhase",
    "Run",
    "RunStep",
    "RunStepEvent",
    "SOPVersion",
    "Stakeholder",
    "Step",
    "StepEdge",
    "StepWaiver",
    "TrainingRequirement",
]
