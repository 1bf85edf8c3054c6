"""The pages of processes."""

from apps.processes.admin import (
    automations,
    compliance,
    improvements,
    maturity,
    packs,
    reading,
    recurrences,
    register,
    reviews,
    roadmap,
    run_steps,
    runs,
    steps,
    versions,
)

__all__ = [
    "automations",
    "compliance",
    "improvements",
    "maturity",
    "packs",
    "reading",
    "recurrences",
    "register",
    "reviews",
    "roadmap",
    "run_steps",
    "runs",
    "steps",
    "versions",
]
