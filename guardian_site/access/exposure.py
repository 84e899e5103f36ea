"""What has to be set before Guardian listens to other machines, and who may do what."""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from guardian_site import environment
from guardian_site.access.roles import Role, role_of


def reasons_not_to_listen(host: str) -> list[str]:
    """Return what is missing before `host` may be listened on; nothing on loopback."""
    return [] if environment.is_loopback(host) else list(_missing())


def who_may(host: str) -> str:
    """Return a line for whoever starts Guardian: who may do what now."""
    if not environment.is_loopback(host):
        return "who may     people with an account, machines with a key"
    reading = "read" if settings.GUARDIAN_PUBLIC_READ else ""
    reporting = "" if settings.GUARDIAN_REQUIRE_API_KEY else "report"
    what = " and ".join(word for word in (reading, reporting) if word)
    if not what:
        return "who may     people with an account, machines with a key; from this machine alone"
    return f"who may     anybody on this machine may {what}; nobody from elsewhere gets in"


def _missing() -> Iterator[str]:
    if not environment.text("GUARDIAN_SECRET_KEY"):
        yield "set GUARDIAN_SECRET_KEY (or …_FILE) to 32 or more random characters"
    if not settings.GUARDIAN_REQUIRE_API_KEY:
        yield "set GUARDIAN_REQUIRE_API_KEY=on, so that only those with a key may report"
    if settings.DEBUG:
        yield "leave GUARDIAN_DEBUG out, which shows anybody the inside of a fault"
    if not somebody_administers(User.objects.all()):
        yield "make an administrator's account with a password: make admin"


def somebody_administers(people: QuerySet[User]) -> bool:
    """Tell whether one of them is an administrator who can sign in."""
    return any(_can_administer(user) for user in people.filter(is_active=True))


def _can_administer(user: User) -> bool:
    outside = bool(settings.OIDC_RP_CLIENT_ID)
    return role_of(user) is Role.ADMIN and (outside or user.has_usable_password())
