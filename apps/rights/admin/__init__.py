"""The pages about rights."""

from apps.rights.admin import (
    accesses,
    asking,
    asking_records,
    duties,
    explain_kit,
    grants,
    review_kit,
    reviews,
    sharing_kit,
    view_as_kit,
)

__all__ = [
    "accesses",
    "asking",
    "asking_records",
    "duties",
    "explain_kit",
    "grants",
    "review_kit",
    "reviews",
    "sharing_kit",
    "view_as_kit",
]
