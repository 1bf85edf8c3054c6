"""The pages about rights."""

from apps.rights.admin import (
    accesses,
    asking,
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
    "duties",
    "explain_kit",
    "grants",
    "review_kit",
    "reviews",
    "sharing_kit",
    "view_as_kit",
]
