"""The pages of blackouts."""

from django.contrib import admin
from unfold.decorators import display

from apps.campaigns.models import Blackout
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin


@admin.register(Blackout)
class BlackoutAdmin(MopsAdmin):
    """Days that are kept free of launches."""

    list_display = ("name", "first_day", "last_day", "where", "how")
    list_filter = ("is_strict", "only_channel", "first_day")
    search_fields = ("name", "reason", "only_region")
    date_hierarchy = "first_day"
    fields = ("name", ("first_day", "last_day"), ("only_channel", "only_region"), "is_strict", "reason")
    kits = ("notes",)
    buttons = ARCHIVE_BUTTONS
    empty_state = "No day is kept free. Add a blackout, and no campaign goes live, or is moved, onto its days."

    @display(description="Where", ordering="only_channel")
    def where(self, blackout: Blackout) -> str:
        """In which channel and region."""
        told = [blackout.get_only_channel_display() if blackout.only_channel else "", blackout.only_region]
        return ", ".join(filter(None, told)) or "everywhere"

    @display(description="How", ordering="is_strict", label={"nothing goes live": "danger", "warning": "warning"})
    def how(self, blackout: Blackout) -> str:
        """Whether launches are refused, or only warned of."""
        return "nothing goes live" if blackout.is_strict else "warning"
