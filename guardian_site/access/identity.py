"""Who sent a request: a session, a token, an API key or a signature. Asked once per request."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError

from guardian_site.access.deciding import NOBODY, Caller
from guardian_site.access.roles import role_of
from guardian_site.access.selectors import signed_in_user, visible_source_ids
from guardian_site.access.services.client_tokens import is_revoked
from guardian_site.access.tokens import read_access
from guardian_site.web.client_address import neighbourhood
from guardian_site.web.programs import bearer_token, names_a_key
from ingest import steady_clock
from ingest.services.keys import Authenticated, known_key
from ingest.services.proving import (
    Asked,
    NotProven,
    secret_holder,
    signature_holder,
)

KEY_START = "tg_"
REFUSED_TOKEN = "This token is not valid or has expired."


@dataclass(frozen=True)
class Identity:
    """Who a request is from, with whatever proved it.

    Attributes
    ----------
    user : User or None
        The person; None for keys and for nobody.
    key : Authenticated or None
        The holder of the key.
    sign_in : UUID or None
        The sign-in whose token was sent.
    by_session : bool
        A browser's cookie proved it, so that a form of another site could have sent it.
    """

    user: User | None = None
    key: Authenticated | None = None
    sign_in: UUID | None = None
    by_session: bool = False

    @cached_property
    def caller(self) -> Caller:
        """What a rule asks about them."""
        if self.key is not None:
            name = f"{self.key.name} ({self.key.prefix}…)"
            return Caller(name=name, known=True, scopes=self.key.scopes)
        if self.user is not None:
            return Caller(name=self.user.get_username(), known=True, role=role_of(self.user))
        return NOBODY

    @cached_property
    def source_ids(self) -> frozenset[int] | None:
        """The sources they may see; None is all of them."""
        if self.key is not None:
            return None if self.key.source_id is None else frozenset({self.key.source_id})
        return None if self.user is None else visible_source_ids(self.user)

    def reader(self, request: HttpRequest) -> str:
        """Return the name of whoever reads; of somebody unknown, the address."""
        return self.caller.name or neighbourhood(request)

    def still_holds(self, request: HttpRequest) -> bool:
        """Tell whether the same proof would now give the same rights to the same sources."""
        renewed = _renewed(self, request)
        return (renewed.caller, renewed.source_ids) == (self.caller, self.source_ids)


UNKNOWN = Identity()


def identify(request: HttpRequest) -> Identity:
    """Return who sent `request`.

    Raises
    ------
    NotProven
        If it carries credentials that prove nothing.
    """
    token, by_key = bearer_token(request.META), names_a_key(request.META)
    if token and not (by_key and not _is_valid(token)):
        return of_token(token)
    if by_key:
        return Identity(key=key_holder(request))
    user = request.user
    return Identity(user=user, by_session=True) if isinstance(user, User) else UNKNOWN


def key_holder(request: HttpRequest) -> Authenticated | None:
    """Return the holder of the key that the request carries, checked once; None without a key."""
    known: Authenticated | NotProven | None = getattr(request, "_key_holder", None)
    if known is None and names_a_key(request.META):
        try:
            known = _proven(request)
        except NotProven as refusal:
            known = refusal
        request._key_holder = known  # type: ignore[attr-defined]
    if isinstance(known, NotProven):
        raise known
    return known


def machine(request: HttpRequest) -> Authenticated | None:
    """Return the key behind a request, shown itself or by a token; None without a valid one."""
    token = bearer_token(request.META)
    try:
        return _key_of_bearer(token) if token else key_holder(request)
    except NotProven:
        return None


def _renewed(identity: Identity, request: HttpRequest) -> Identity:
    """Return who it is now, found out anew."""
    if identity.key is not None:
        known, scopes = known_key(prefix=identity.key.prefix), identity.key.scopes
        if known is None:
            return UNKNOWN
        return Identity(key=replace(known.holder, scopes=known.holder.scopes & scopes))
    if identity.sign_in is not None:
        return Identity(user=signed_in_user(identity.sign_in, timezone.now()))
    return Identity(user=_session_user(request)) if identity.by_session else UNKNOWN


def _session_user(request: HttpRequest) -> User | None:
    # The request keeps the content of its session even if the person has signed out meanwhile.
    number = request.session.session_key
    found = get_user(request) if number and request.session.exists(number) else None
    return found if isinstance(found, User) else None


def _proven(request: HttpRequest) -> Authenticated:
    if "X-Signature" not in request.headers:
        return secret_holder(request.headers)
    try:
        body = request.body
    except RequestDataTooBig:
        # One that declares its length is answered 413 by RouteRules, signed or not.
        raise NotProven("The body is too large to be signed.") from None
    asked = Asked(request.method or "", request.get_full_path(), body)
    return signature_holder(request.headers, asked, now=steady_clock.now())


def _is_valid(token: str) -> bool:
    try:
        of_token(token)
    except NotProven:
        return False
    return True


def of_token(token: str) -> Identity:
    """Return whom a bearer token stands for.

    Raises
    ------
    NotProven
        If it stands for nobody, or for nobody any more.
    """
    key = _key_of_bearer(token)
    if key is not None:
        return Identity(key=key)
    try:
        sign_in = UUID(_claims(token)["sid"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise NotProven(REFUSED_TOKEN) from error
    user = signed_in_user(sign_in, timezone.now())
    if user is None:
        raise NotProven("This sign-in has ended; sign in again.")
    return Identity(user=user, sign_in=sign_in)


def _key_of_bearer(token: str) -> Authenticated | None:
    if token.startswith(KEY_START):
        return secret_holder({"X-Api-Key": token})
    claims = _claims(token)
    if "key" not in claims:
        return None
    if is_revoked(str(claims["jti"])):
        raise NotProven("This token was revoked.")
    return _living_key(str(claims["key"]), str(claims.get("scope", "")))


def _claims(token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = read_access(token).payload
    except (TokenError, ValueError, TypeError) as error:
        raise NotProven(REFUSED_TOKEN) from error
    return claims


def _living_key(prefix: str, scope: str) -> Authenticated:
    known = known_key(prefix=prefix)
    if known is None:
        raise NotProven("The key behind this token was revoked or has expired.")
    return replace(known.holder, scopes=known.holder.scopes & frozenset(scope.split()))
