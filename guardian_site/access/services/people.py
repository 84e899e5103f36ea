"""Roles given to people, and accounts of those whom an outside provider knows."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction

from guardian_site.access.models import OutsideAccount
from guardian_site.access.roles import Role, role_of


@transaction.atomic
def give_role(*, user: User, role: Role | None) -> None:
    """The user has this role and no other; None takes every role away.

    A superuser stays an administrator, whatever the groups say.
    """
    user.groups.set(Group.objects.filter(name=role.value) if role else [])
    user._guardian_roles = [role] if role else []  # type: ignore[attr-defined]
    # Django's admin site asks for this flag before it asks for permissions.
    if user.is_staff != (role is not None or user.is_superuser):
        user.is_staff = role is not None or user.is_superuser
        user.save(update_fields=("is_staff",))


@transaction.atomic
def add_person(*, user: User, password: str, role: Role) -> None:
    """The account exists, with this password and role."""
    user.set_password(password)
    user.save()
    give_role(user=user, role=role)


@transaction.atomic
def admit_outsider(*, issuer: str, claims: Mapping[str, Any], role: Role | None) -> User:
    """Somebody known to an outside provider has an account here, without a password.

    A name that is taken gets a number: it may be that of somebody else.
    """
    wanted = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
    clean = "".join(letter for letter in wanted if letter.isalnum() or letter in "@.+-_")[:140]
    user = User(username=_free_name(clean or "somebody"))
    user.set_unusable_password()
    user.save()
    OutsideAccount.objects.create(issuer=issuer, subject=claims["sub"], user=user)
    renew_outsider(user=user, claims=claims, role=role)
    return user


def renew_outsider(*, user: User, claims: Mapping[str, Any], role: Role | None) -> None:
    """The account has the names, the address and the role that the provider tells today."""
    user.email = str(claims.get("email") or "")[:254]
    user.first_name = str(claims.get("given_name") or "")[:150]
    user.last_name = str(claims.get("family_name") or "")[:150]
    user.save(update_fields=("email", "first_name", "last_name"))
    if role_of(user) is not role:
        give_role(user=user, role=role)


def _free_name(wanted: str) -> str:
    taken = set(User.objects.filter(username__startswith=wanted).values_list("username", flat=True))
    names = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
