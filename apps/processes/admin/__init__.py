"""The pages of processes."""

from apps.processes.admin import reading, register, reviews, runs, steps, versions

__all__ = ["reading", "register", "reviews", "runs", "steps", "versions"]
