"""The pages for people, teams, roles, invitations and vacancies."""

from apps.accounts.admin.invitations import InvitationAdmin
from apps.accounts.admin.memberships import MembershipAdmin
from apps.accounts.admin.people import UserAdmin
from apps.accounts.admin.teams import TeamAdmin
from apps.accounts.admin.territories import TerritoryAdmin
from apps.accounts.admin.vacancies import VacancyAdmin

__all__ = ["InvitationAdmin", "MembershipAdmin", "TeamAdmin", "TerritoryAdmin", "UserAdmin", "VacancyAdmin"]
