"""System checks of who gets in."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from guardian_site import environment
from guardian_site.access.passwords import PUBLISHED
from guardian_site.access.routes import all_routes
from guardian_site.access.rules import methods_of
from guardian_site.settings_database import parts_of

# GUARDIAN_OIDC_<name>, needed for an outside provider -> the Django setting that holds it.
PROVIDER = {
    "CLIENT_SECRET": "OIDC_RP_CLIENT_SECRET",
    "ISSUER": "GUARDIAN_OIDC_ISSUER",
    "AUTHORIZATION_URL": "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "TOKEN_URL": "OIDC_OP_TOKEN_ENDPOINT",
    "USER_URL": "OIDC_OP_USER_ENDPOINT",
    "KEYS_URL": "OIDC_OP_JWKS_ENDPOINT",
}


@register(Tags.urls)
def every_route_has_a_rule(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a route that nobody has said who may call."""
    return [
        Error(
            f"Nobody has said who may call {path} ({route}).",
            hint="Add it to RULES in guardian_site/access/rules.py.",
            id="guardian.E020",
        )
        for route, path in all_routes().items()
        if methods_of(route) is None
    ]


@register(Tags.security)
def no_password_is_published(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Refuse the passwords of the system this one replaces, which everybody can read."""
    return [
        Error(
            f"{name} holds a password that was published with the former system.",
            hint="Give the server a new one.",
            id="guardian.E021",
        )
        for name, password in _passwords()
        if password in PUBLISHED
    ]


def _passwords() -> Iterator[tuple[str, str | None]]:
    if settings.DATABASE_URL:
        yield "DATABASE_URL", parts_of("DATABASE_URL", settings.DATABASE_URL).get("PASSWORD")
    yield "REDIS_URL", unquote(urlsplit(settings.REDIS_URL).password or "")


@register(Tags.security)
def outside_sign_in_is_whole(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Refuse an outside provider that is only half described."""
    if not settings.OIDC_RP_CLIENT_ID:
        return []
    missing = [name for name, setting in PROVIDER.items() if not getattr(settings, setting)]
    if not any(settings.GUARDIAN_OIDC_ROLES.values()):
        missing.append("VIEWERS, _OPERATORS or _ADMINS")
    return [
        Error(
            f"GUARDIAN_OIDC_CLIENT_ID is set and GUARDIAN_OIDC_{name} is not.",
            hint="Set it, or leave GUARDIAN_OIDC_CLIENT_ID out; see SECURITY.md.",
            id="guardian.E022",
        )
        for name in missing
    ]


@register(Tags.security, deploy=True)
def tokens_have_their_own_key(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Warn when tokens are signed by what signs sessions too."""
    if environment.text("GUARDIAN_JWT_KEYS"):
        return []
    return [
        Warning(
            "Tokens are signed by a key made of GUARDIAN_SECRET_KEY.",
            hint="Set GUARDIAN_JWT_KEYS to a key of its own, so that each can be changed alone.",
            id="guardian.W002",
        )
    ]


@register(Tags.security, deploy=True)
def reading_needs_a_sign_in(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Warn when a deployment shows its figures to anybody."""
    return list(_open_reading())


def _open_reading() -> Iterator[CheckMessage]:
    if settings.GUARDIAN_PUBLIC_READ:
        yield Warning(
            "Anybody who reaches the site may read figures and incidents.",
            hint="Set GUARDIAN_PUBLIC_READ=off and give people accounts.",
            id="guardian.W003",
        )
