"""The only readers of sign-ins and teams."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare

from guardian_site.access.models import SignIn
from guardian_site.access.roles import Role, may, role_of
from ingest.models import ApiKey, Source


def signed_in_user(sign_in_id: UUID, now: datetime) -> User | None:
    """Return the user of a sign-in; None if it ended or ran out, or the password was changed."""
    rows = SignIn.objects.select_related("user").filter(pk=sign_in_id, ended=None, expires__gt=now)
    found = rows.first()
    if found is None or not found.user.is_active:
        return None
    # A mark made with a former secret key counts as well, as long as that key is in the settings.
    user = found.user
    marks = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    holds = any(constant_time_compare(found.password_mark, mark) for mark in marks)
    return user if holds else None


def visible_source_ids(user: User) -> frozenset[int] | None:
    """Return the sources `user` may see; None is all of them."""
    if role_of(user) is Role.ADMIN:
        return None
    team_ids = list(user.teams.values_list("pk", flat=True))
    if not team_ids:
        return None
    ids = Source.objects.filter(teams__in=team_ids).values_list("pk", flat=True)
    return frozenset(ids)


def people_who_may(permission: str, *, source_id: int | None) -> QuerySet[User]:
    """Return the active people whose role holds a permission and who see a source; None is any."""
    roles = [role.value for role in Role if may(role, permission)]
    found = User.objects.filter(Q(is_superuser=True) | Q(groups__name__in=roles), is_active=True)
    if source_id is not None:
        whole = Q(is_superuser=True) | Q(groups__name=Role.ADMIN.value) | Q(teams=None)
        found = found.filter(whole | Q(teams__sources=source_id))
    return User.objects.filter(pk__in=found.values("pk")).order_by("username")


def open_sign_ins(now: datetime) -> int:
    """Return how many people are signed in through the API."""
    return SignIn.objects.filter(ended=None, expires__gt=now).count()


def ended_sign_ins() -> int:
    """Return how many sign-ins were ended by hand and are still remembered."""
    return SignIn.objects.exclude(ended=None).count()


def living_keys() -> QuerySet[ApiKey]:
    """Return the keys that nobody revoked."""
    return ApiKey.objects.select_related("source").filter(revoked=None)
