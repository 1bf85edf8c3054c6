"""People and teams for tests."""

import time

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from apps.accounts.domain.roles import synchronise_groups_of, synchronise_roles
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User

PASSWORD = "correct horse battery"
_HASH = make_password(PASSWORD, hasher="pbkdf2_sha256")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    is_staff = True
    password = _HASH


class TeamFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


def person_with(*roles: Role, **fields) -> User:
    """A person who plays these roles, with the permissions that come with them."""
    if Group.objects.filter(name__in=Role.values).count() < len(Role):  # migrating made them, a flush took them away
        synchronise_roles()
    person = UserFactory(**fields)
    for role in roles:
        Membership.objects.create(team=TeamFactory(), person=person, role=role)
    synchronise_groups_of(person)
    return User.objects.get(pk=person.pk)


def sign_in(client, person):
    """Sign `person` in with a password typed just now, as step-up asks for."""
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "email": person.email}]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()
    return client


def administrator(**fields) -> User:
    """Somebody who may administer people."""
    return person_with(Role.ADMINISTRATOR, **fields)
