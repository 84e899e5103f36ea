"""Roles given to people."""

from django.contrib.auth.models import Group, User
from django.db import transaction

from guardian_site.access.roles import Role


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
