"""The pages of processes."""

from apps.processes.admin import automations, compliance, reading, recurrences, register, reviews, runs, steps, versions

__all__ = ["automations", "compliance", "reading", "recurrences", "register", "reviews", "runs", "steps", "versions"]
