"""Who may act on an incident, as the site's access rules say."""

from django.contrib.auth import get_backends
from django.contrib.auth.models import User

from alerts.models import Incident

TO_ACT = "alerts.change_incident"
TO_READ = "alerts.view_incident"


def people_who_may_act(incident: Incident) -> list[User]:
    """Return the active people who see the incident's source and may act on it, by their names."""
    found: dict[int, User] = {}
    for backend in get_backends():
        if hasattr(backend, "with_perm"):
            found |= {one.pk: one for one in backend.with_perm(TO_ACT, obj=incident)}
    return sorted(found.values(), key=lambda one: one.get_username().casefold())


def sources_of(person: User) -> frozenset[int] | None:
    """Return the sources of which a person may read; None is all of them."""
    if not person.has_perm(TO_READ):
        return frozenset()
    for backend in get_backends():
        if hasattr(backend, "source_ids_of"):
            found: frozenset[int] | None = backend.source_ids_of(person)
            return found
    return None
