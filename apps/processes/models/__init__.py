"""Processes: the register, the versions of what each says, and the steps with the ways between them."""

from apps.processes.models.flow import Step, StepEdge
from apps.processes.models.register import Process, ProcessQuerySet, ProcessRole, Stakeholder
from apps.processes.models.versions import SOPVersion

__all__ = ["Process", "ProcessQuerySet", "ProcessRole", "SOPVersion", "Stakeholder", "Step", "StepEdge"]
