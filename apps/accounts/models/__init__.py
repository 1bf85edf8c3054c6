"""People, teams, who plays which role where, who is invited, and what nobody answers for."""

from apps.accounts.models.invitations import Invitation
from apps.accounts.models.people import Membership, OwnedModel, PersonManager, Team, User, called, validate_time_zone
from apps.accounts.models.territories import Territory
from apps.accounts.models.vacancies import Vacancy

__all__ = [
    "Invitation",
    "Membership",
    "OwnedModel",
    "PersonManager",
    "Team",
    "Territory",
    "User",
    "Vacancy",
    "called",
    "validate_time_zone",
]
