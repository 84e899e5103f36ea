"""What the access rules found out about a reader; the rules themselves are the site's."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest


def may_act(user: User | AnonymousUser) -> bool:
    """Say whether to offer `user` what changes an incident; the route's rule decides again."""
    return user.is_authenticated and user.has_perm("alerts.change_incident")


def reader_of(request: HttpRequest) -> str:
    """Return the name of whoever reads; of somebody unknown, where they read from."""
    identity = getattr(request, "identity", None)
    return "" if identity is None else str(identity.reader(request))


def seen_sources(request: HttpRequest) -> frozenset[int] | None:
    """Return the ids of the sources that the reader may see; None is all of them."""
    identity = getattr(request, "identity", None)
    ids: frozenset[int] | None = None if identity is None else identity.source_ids
    return ids


def still_let_in(request: HttpRequest) -> bool:
    """Tell whether the reader would be let in now as when the request came, to the same sources."""
    identity = getattr(request, "identity", None)
    return identity is None or bool(identity.still_holds(request))
