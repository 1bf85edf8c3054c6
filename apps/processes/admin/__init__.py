"""The pages of processes."""

from apps.processes.admin import reading, register, reviews, steps, versions

__all__ = ["reading", "register", "reviews", "steps", "versions"]
