"""Roles of people, and what each may do to the rows of each model."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User


class Role(StrEnum):
    """What a person is trusted with; each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Return the place among the roles, 0 for the least trusted."""
        return list(Role).index(self)

    def covers(self, least: "Role") -> bool:
        """Tell whether this role may do what `least` may.

        Examples
        --------
        >>> Role.ADMIN.covers(Role.OPERATOR), Role.VIEWER.covers(Role.OPERATOR)
        (True, False)
        """
        return self.rank >= least.rank


# Names that clients of the system before this one read in answers.
PERMISSIONS: Mapping[Role, tuple[str, ...]] = {
    Role.VIEWER: ("read",),
    Role.OPERATOR: ("read", "write"),
    Role.ADMIN: ("read", "write", "admin"),
}


class Least(NamedTuple):
    """The least role that may look at, add, change and delete rows; None is nobody."""

    view: Role | None
    add: Role | None
    change: Role | None
    delete: Role | None

    def for_action(self, action: str) -> Role | None:
        """Return the least role for `view`, `add`, `change` or `delete`."""
        return getattr(self, action) if action in self._fields else None


READ_ONLY = Least(Role.VIEWER, None, None, None)
OPERATED = Least(Role.VIEWER, Role.OPERATOR, Role.OPERATOR, Role.OPERATOR)
CHANGED_BY_OPERATORS = Least(Role.VIEWER, None, Role.OPERATOR, None)
ADMINISTERED = Least(Role.VIEWER, Role.ADMIN, Role.ADMIN, Role.ADMIN)
KEPT = Least(Role.ADMIN, Role.ADMIN, Role.ADMIN, None)
SECRET = Least(Role.ADMIN, Role.ADMIN, Role.ADMIN, Role.ADMIN)
AUDITED = Least(Role.ADMIN, None, None, None)

# By "app.model", else by "app"; what stands in neither is for admins.
MODELS: Mapping[str, Least] = {
    "ingest": READ_ONLY,
    "ingest.source": Least(Role.VIEWER, Role.ADMIN, Role.ADMIN, None),
    "ingest.apikey": KEPT,
    "detection": READ_ONLY,
    "detection.policy": Least(Role.VIEWER, Role.OPERATOR, Role.OPERATOR, Role.ADMIN),
    "detection.specialday": OPERATED,
    "detection.label": Least(Role.VIEWER, Role.OPERATOR, Role.OPERATOR, None),
    "detection.proposal": CHANGED_BY_OPERATORS,
    "detection.backtest": Least(Role.VIEWER, Role.OPERATOR, Role.OPERATOR, Role.ADMIN),
    "detection.forestversion": Least(Role.VIEWER, None, Role.ADMIN, None),
    "alerts": READ_ONLY,
    "alerts.incident": CHANGED_BY_OPERATORS,
    "alerts.silence": OPERATED,
    "alerts.maintenancewindow": OPERATED,
    "alerts.override": OPERATED,
    "alerts.schedule": ADMINISTERED,
    "alerts.rotation": ADMINISTERED,
    "alerts.rotationmember": ADMINISTERED,
    "alerts.escalationpolicy": ADMINISTERED,
    "alerts.escalationstep": ADMINISTERED,
    "alerts.channel": SECRET,
    "alerts.notification": CHANGED_BY_OPERATORS,
    "auth.user": KEPT,
    "auth.group": AUDITED,
    "auth.permission": AUDITED,
    "access.signin": Least(Role.ADMIN, None, None, Role.ADMIN),
    "auditlog": AUDITED,
    "axes": Least(Role.ADMIN, None, None, Role.ADMIN),
    "guardian_site": READ_ONLY,
}


def least_for(app_label: str, model: str) -> Least:
    """Return who may do what to the rows of a model."""
    return MODELS.get(f"{app_label}.{model}", MODELS.get(app_label, SECRET))


def role_of(user: AbstractBaseUser | AnonymousUser | None) -> Role | None:
    """Return the role of `user`; None for somebody unknown, inactive, or without one."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    # A request asks this many times over; the groups of its user do not change meanwhile.
    known: list[Role] | None = getattr(user, "_guardian_roles", None)
    if known is None:
        names = set(user.groups.values_list("name", flat=True))
        known = [role for role in reversed(Role) if role.value in names]
        user._guardian_roles = known  # type: ignore[attr-defined]
    return known[0] if known else None


def may(role: Role | None, permission: str) -> bool:
    """Tell whether `role` holds a Django permission such as `alerts.change_incident`.

    Examples
    --------
    >>> may(Role.VIEWER, "alerts.view_incident"), may(Role.VIEWER, "alerts.change_incident")
    (True, False)
    """
    app_label, _, code = permission.partition(".")
    action, _, model = code.partition("_")
    least = least_for(app_label, model).for_action(action)
    return role is not None and least is not None and role.covers(least)
