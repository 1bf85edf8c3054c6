"""The pages of processes."""

from apps.processes.admin import reading, recurrences, register, reviews, runs, steps, versions

__all__ = ["reading", "recurrences", "register", "reviews", "runs", "steps", "versions"]
