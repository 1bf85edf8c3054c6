"""Single records shared with people, teams and roles: each grant with who gave it, why and until when."""

import datetime as dt
from typing import Any

import pgtrigger
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.campaigns.models import Campaign
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import refusal, written_once
from apps.processes.models import Process
from apps.rights.enums import Verb
from apps.technology.models import Tool


class AccessGrantQuerySet(GovernedQuerySet):
    """Grants by whether they open anything."""

    def open(self) -> "AccessGrantQuerySet":
        """Grants that nobody has ended; they may have expired since the last sweep."""
        return self.filter(revoked_at__isnull=True)

    def in_force(self, moment: dt.datetime) -> "AccessGrantQuerySet":
        """Grants that open something at `moment`."""
        return self.open().filter(Q(expires_at__isnull=True) | Q(expires_at__gt=moment))

    def about(self, thing: models.Model) -> "AccessGrantQuerySet":
        """Grants on one record."""
        return self.filter(content_type=ContentType.objects.get_for_model(type(thing)), object_id=thing.pk)


class AccessGrant(GovernedModel):
    """One record that one person, team or role may view or change, besides what their roles open."""

    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=20, blank=True, choices=Role.choices)
    verb = models.CharField("may", max_length=10, choices=Verb.choices)
    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+", verbose_name="kind")
    object_id = models.BigIntegerField()
    object_label = models.CharField("record", max_length=250, help_text="As it was called when it was shared.")
    granted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    expires_at = models.DateTimeField("until", null=True, blank=True, help_text="Empty: until somebody revokes it.")
    revoked_at = models.DateTimeField("ended", null=True, blank=True)
    revoked_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="ended by"
    )
    revoked_why = models.CharField("why it ended", max_length=500, blank=True)

    objects = AccessGrantQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-created_at", "-pk")
        indexes = [models.Index(fields=("content_type", "object_id"), name="grant_by_record")]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, team__isnull=True, role="")
                | Q(person__isnull=True, team__isnull=False, role="")
                | Q(Q(person__isnull=True, team__isnull=True) & ~Q(role="")),
                name="grant_to_exactly_one",
                violation_error_message="A grant goes to one person, one team or one role; make one for each.",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True) | ~Q(person=F("granted_by")),
                name="grant_never_to_oneself",
                violation_error_message="Nobody grants rights to themselves; ask the owner or an administrator.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="grant_has_reason",
                violation_error_message="A grant needs a reason: whoever reviews it later must understand it.",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True, revoked_why="")
                | Q(Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~Q(revoked_why="")),
                name="grant_ended_by_somebody",
                violation_error_message="A grant ends at a moment, by somebody and for a reason.",
            ),
            models.UniqueConstraint(
                fields=("person", "team", "role", "verb", "content_type", "object_id"),
                condition=Q(revoked_at__isnull=True),
                nulls_distinct=False,
                name="grant_open_once",
                violation_error_message="The same is granted already; revoke that grant first.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *written_once(
                (
                    *("person_id", "team_id", "role", "verb", "content_type_id", "object_id"),
                    *("granted_by_id", "reason", "expires_at"),
                ),
                "A grant is never changed: revoke it and grant anew.",
            ),
            pgtrigger.Trigger(
                name="stays_revoked",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.revoked_at IS NOT NULL AND OLD.revoked_at IS DISTINCT FROM NEW.revoked_at"
                ),
                func=refusal("What has ended stays so; grant anew."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.principal_label} · {self.get_verb_display().lower()} · {self.object_label}"

    @property
    def principal(self) -> "User | Team | Role":
        """Who has it."""
        return self.person or self.team or Role(self.role)

    @property
    def principal_label(self) -> str:
        """Who has it, in words."""
        if self.person_id is not None:
            return str(self.person)
        return f"everybody in {self.team}" if self.team_id is not None else f"every {Role(self.role).label.lower()}"

    @property
    def thing(self) -> Any:
        """The record; None when it is gone."""
        model = self.content_type.model_class()
        return model._base_manager.filter(pk=self.object_id).first() if model is not None else None

    def state_at(self, moment: dt.datetime) -> str:
        """How it stands, in a word."""
        if self.revoked_at is not None:
            return "ended"
        return "expired" if self.expires_at is not None and self.expires_at <= moment else "in force"


class _ToPerson(UserObjectPermissionBase):
    """A person's right to one record. Derived from the grant it names, and gone with it: not governed itself."""

    grant = models.OneToOneField(AccessGrant, models.CASCADE, related_name="+")

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True
        default_permissions = ()


class _ToGroup(GroupObjectPermissionBase):
    """A team's or role's right to one record. Derived from the grant it names, and gone with it: not governed."""

    grant = models.OneToOneField(AccessGrant, models.CASCADE, related_name="+")

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True
        default_permissions = ()


class ToolToPerson(_ToPerson):
    """Tools shared with people."""

    content_object = models.ForeignKey(Tool, models.CASCADE)

    class Meta(_ToPerson.Meta):
        pass


class ToolToGroup(_ToGroup):
    """Tools shared with teams and roles."""

    content_object = models.ForeignKey(Tool, models.CASCADE)

    class Meta(_ToGroup.Meta):
        pass


class SOPToPerson(_ToPerson):
    """Processes shared with people."""

    content_object = models.ForeignKey(Process, models.CASCADE)

    class Meta(_ToPerson.Meta):
        pass


class SOPToGroup(_ToGroup):
    """Processes shared with teams and roles."""

    content_object = models.ForeignKey(Process, models.CASCADE)

    class Meta(_ToGroup.Meta):
        pass


class CampaignToPerson(_ToPerson):
    """Campaigns shared with people."""

    content_object = models.ForeignKey(Campaign, models.CASCADE)

    class Meta(_ToPerson.Meta):
        pass


class CampaignToGroup(_ToGroup):
    """Campaigns shared with teams and roles."""

    content_object = models.ForeignKey(Campaign, models.CASCADE)

    class Meta(_ToGroup.Meta):
        pass


# what can be shared, and where guardian keeps the rights: (to people, to groups)
SHAREABLE: dict[type[models.Model], tuple[type[Any], type[Any]]] = {
    Tool: (ToolToPerson, ToolToGroup),
    Process: (SOPToPerson, SOPToGroup),
    Campaign: (CampaignToPerson, CampaignToGroup),
}
