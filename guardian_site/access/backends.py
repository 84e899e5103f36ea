"""Django's question “may this user …?”, answered from the table of roles."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet

from guardian_site.access.roles import MODELS, SECRET, Least, may, role_of
from guardian_site.access.selectors import people_who_may, visible_source_ids


class RolePermissions(BaseBackend):
    """Permissions of roles, so that the admin and `has_perm` follow the same table as the API."""

    def has_perm(
        self, user_obj: User | AnonymousUser, perm: str, obj: Any = None
    ) -> bool:  # the same for every row; which sources the user sees is asked elsewhere
        return may(role_of(user_obj), perm)

    def with_perm(
        self,
        perm: str,
        is_active: bool = True,
        include_superusers: bool = True,
        obj: Any = None,
    ) -> QuerySet[User]:
        """Return who may; of a row that belongs to a source, only those who see the source."""
        found = people_who_may(perm, source_id=getattr(obj, "source_id", None))
        if not include_superusers:
            found = found.exclude(is_superuser=True)
        return found if is_active else found.none()

    def source_ids_of(self, user: User) -> frozenset[int] | None:
        """Return the sources that the user sees; None is all of them."""
        return visible_source_ids(user)

    def has_module_perms(self, user_obj: User | AnonymousUser, app_label: str) -> bool:
        """Tell whether the user may do anything at all with an app in the admin."""
        role = role_of(user_obj)
        if role is None or _is_confined(user_obj):
            return False
        rules: list[Least] = [
            least for name, least in MODELS.items() if name.split(".")[0] == app_label
        ] or [SECRET]
        return any(any(one and role.covers(one) for one in least) for least in rules)


def _is_confined(user: Any) -> bool:
    """Tell whether the user sees only the sources of their teams, and so may not use the admin."""
    # A page of the admin asks for each of its models; the teams do not change meanwhile.
    known: bool | None = getattr(user, "_guardian_confined", None)
    if known is None:
        known = user._guardian_confined = visible_source_ids(user) is not None
    return known
