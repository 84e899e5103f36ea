"""Django's question “may this user …?”, answered from the table of roles."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser, User

from guardian_site.access.roles import MODELS, Least, may, role_of


class RolePermissions(BaseBackend):
    """Permissions of roles, so that the admin and `has_perm` follow the same table as the API."""

    def has_perm(
        self, user_obj: User | AnonymousUser, perm: str, obj: Any = None
    ) -> bool:  # the same for every row; what is seen of which source is asked elsewhere
        return may(role_of(user_obj), perm)

    def has_module_perms(self, user_obj: User | AnonymousUser, app_label: str) -> bool:
        """Tell whether the user may do anything at all with an app."""
        role = role_of(user_obj)
        if role is None:
            return False
        rules: list[Least] = [
            least for name, least in MODELS.items() if name.split(".")[0] == app_label
        ]
        return any(any(one and role.covers(one) for one in least) for least in rules)
