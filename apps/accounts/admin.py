"""The pages for people and teams."""

from django.contrib import admin

from apps.accounts.models import Membership, Team, User
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline


class MembershipInline(MopsTabularInline):
    """Who plays which role in the team."""

    model = Membership
    autocomplete_fields = ("person",)
    fields = ("person", "role")


@admin.register(User)
class UserAdmin(MopsAdmin):
    """People."""

    list_display = ("full_name", "email", "title", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("full_name", "email", "title")
    fields = ("full_name", "email", "title", "manager", "time_zone", "is_active", "is_staff", "last_login")
    readonly_fields = ("last_login", "is_active", "is_staff")
    autocomplete_fields = ("manager",)
    in_palette = True


@admin.register(Team)
class TeamAdmin(MopsAdmin):
    """Teams."""

    list_display = ("name", "purpose")
    search_fields = ("name",)
    fields = ("name", "purpose")
    inlines = (MembershipInline,)
    buttons = ARCHIVE_BUTTONS
    in_palette = True
    empty_state = "No team yet. A team owns processes, tools and campaigns; people get their role in it."
