"""Names who made each audited change, and lets the audit log only grow."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from auditlog.models import LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models.signals import pre_delete, pre_save
from django.http import HttpRequest, HttpResponse

from guardian_site.access.identity import Identity
from guardian_site.web.client_address import client_address
from ingest.plain import plain

READS = frozenset({"GET", "HEAD", "OPTIONS"})


class AuditOnlyGrows(PermissionDenied):
    """Somebody tried to change or delete an entry of the audit log."""


# The request whose changes are being written; None in workers and commands.
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class WhoChanges:
    """Names the person or key, and the address, in every entry of the audit log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in READS:
            return self.get_response(request)
        # Who it is is known once the route's rule was asked; it is read when an entry is written.
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def connect() -> None:
    """Entries name who made them, and can neither be changed nor deleted through Django."""
    # The library's own middleware believes any X-Forwarded-For, and knows neither tokens nor keys.
    pre_save.connect(_complete, sender=LogEntry, dispatch_uid="guardian.audit.complete")
    pre_delete.connect(_refuse, sender=LogEntry, dispatch_uid="guardian.audit.refuse")


def _complete(sender: Any, instance: LogEntry, **kwargs: Any) -> None:
    if not instance._state.adding:
        raise AuditOnlyGrows("An entry of the audit log cannot be changed.")
    request = _request.get()
    if request is None:
        return
    identity: Identity | None = getattr(request, "identity", None)
    user = identity.user if identity is not None else request.user
    instance.actor = user if isinstance(user, User) else None
    instance.remote_addr = client_address(request)
    # On routes that a vendor's proof opens, the user is None: DRF's word for nobody.
    known = user.get_username() if user is not None else ""
    by = identity.caller.name if identity is not None else known
    via = f"{request.method} {plain(request.path)}"
    instance.additional_data = {**(instance.additional_data or {}), "by": plain(by), "via": via}


def _refuse(sender: Any, **kwargs: Any) -> None:
    raise AuditOnlyGrows("The audit log cannot be deleted.")
