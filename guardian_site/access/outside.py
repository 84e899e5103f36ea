"""Sign-in by an outside provider (OpenID Connect), which says who people are and their role.

mozilla-django-oidc keeps state, nonce and the PKCE verifier, and fetches the tokens. What it leaves
to its users is done here: the token must be from our provider, for us, and about the same person
as the claims; and accounts are matched by the provider's subject, never by e-mail.
"""

import logging
from collections.abc import Mapping
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.db.models import QuerySet
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from guardian_site.access.models import OutsideAccount
from guardian_site.access.roles import Role
from guardian_site.access.services.people import admit_outsider, renew_outsider
from ingest.plain import plain

logger = logging.getLogger(__name__)
Claims = Mapping[str, Any]

# What is raised by a provider that is away, that cheats, or whose answer lacks what it should hold.
FAILURES = (
    *(SuspiciousOperation, requests.RequestException, jwt.PyJWTError),
    *(AttributeError, LookupError, TypeError, ValueError),
)


def role_from(claims: Claims) -> Role | None:
    """Return the most trusted role that the provider's groups stand for; None if none does."""
    groups = claims.get(settings.GUARDIAN_OIDC_ROLES_CLAIM, [])
    names = {groups} if isinstance(groups, str) else {str(group) for group in groups or []}
    found = [role for role in Role if names & settings.GUARDIAN_OIDC_ROLES[role.value]]
    return found[-1] if found else None


def _admitted(claims: Claims) -> User:
    return admit_outsider(
        issuer=settings.GUARDIAN_OIDC_ISSUER, claims=claims, role=role_from(claims)
    )


class OutsideSignIn(OIDCAuthenticationBackend):  # type: ignore[misc]  # the library has no types
    """Believes the provider named in the settings, and nobody else."""

    def authenticate(self, request: Any, **kwargs: Any) -> User | None:
        """Return who came back from the provider; None, with the reason in the log, otherwise."""
        try:
            found: User | None = super().authenticate(request, **kwargs)
        except FAILURES as error:
            name = type(error).__name__
            logger.warning("Outside sign-in failed: %s: %s", name, plain(error))
            return None
        return found if found is not None and found.is_active else None

    def get_user(self, user_id: Any) -> User | None:
        """Return who is in a session; nobody once the account is inactive, as with passwords."""
        found: User | None = super().get_user(user_id)
        return found if found is not None and found.is_active else None

    def _verify_jws(self, payload: Any, key: Any) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            payload,
            key,
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=settings.GUARDIAN_OIDC_ISSUER,
            leeway=30,
            options={"require": ["exp", "iat", "sub"]},
        )
        return claims

    def get_userinfo(self, access_token: Any, id_token: Any, payload: Claims) -> dict[str, Any]:
        """Return what the provider says about the person, who must be the one of the token."""
        told: dict[str, Any] = super().get_userinfo(access_token, id_token, payload)
        if told.get("sub") != payload["sub"]:
            raise SuspiciousOperation("the claims are about somebody else")
        # Providers put groups into either place.
        return {**payload, **told}

    def verify_claims(self, claims: Claims) -> bool:
        """Let in only people who have a role here; one who lost it keeps none."""
        role = role_from(claims)
        if role is None:
            self.request.without_role = True
            for user in self.filter_users_by_claims(claims):
                renew_outsider(user=user, claims=claims, role=None)
        return role is not None

    def filter_users_by_claims(self, claims: Claims) -> QuerySet[User]:
        """Return the account of the person, by the provider's name for them."""
        issuer = settings.GUARDIAN_OIDC_ISSUER
        accounts = OutsideAccount.objects.filter(issuer=issuer, subject=claims["sub"])
        return User.objects.filter(pk__in=accounts.values("user"))

    def create_user(self, claims: Claims) -> User:
        """Make an account without a password for somebody who comes for the first time."""
        try:
            return _admitted(claims)
        except IntegrityError:
            # Two came at once: the same person in another window, or somebody of the same name.
            found = self.filter_users_by_claims(claims).first()
            return _admitted(claims) if found is None else self.update_user(found, claims)

    def update_user(self, user: User, claims: Claims) -> User:
        """Take over the present names, address and role."""
        renew_outsider(user=user, claims=claims, role=role_from(claims))
        return user
