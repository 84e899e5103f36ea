"""The one place that says who may call what. `manage.py access_table` prints it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from guardian_site.access.roles import Role
from ingest.models import ApiKey
from ingest.parsing.bodies import LARGEST_BODY

Scope = ApiKey.Scope
Methods = Mapping[str, "Rule"]


class Opening(StrEnum):
    """When a route is open to anybody."""

    ALWAYS = "anybody"
    REPORTING = "anybody while GUARDIAN_REQUIRE_API_KEY is off"
    READING = "anybody while GUARDIAN_PUBLIC_READ is on"
    METRICS = "anybody, past a proxy those who may read, while GUARDIAN_PUBLIC_METRICS is on"


@dataclass(frozen=True)
class Rule:
    """Who may: people from a role upwards, keys of a scope, anybody through an opening.

    Attributes
    ----------
    role : Role or None
        The least role of a person; None lets no person in.
    scope : str or None
        The scope a key needs (`admin` stands for all); None lets no key in.
    opening : Opening or None
        When nobody has to say who they are.
    known : bool
        Lets in whoever has shown who they are, whatever their role or scopes.
    whole : bool
        Lets in only those who see every source, since the answer is not limited to some.
    proof : str
        What the view itself checks instead, such as a vendor's signature.
    """

    role: Role | None = None
    scope: str | None = None
    opening: Opening | None = None
    known: bool = False
    whole: bool = False
    proof: str = ""


PUBLIC = Rule(opening=Opening.ALWAYS)
REPORTING = Rule(Role.OPERATOR, Scope.REPORT, Opening.REPORTING)
READING = Rule(Role.VIEWER, Scope.READ, Opening.READING)
SCRAPING = Rule(Role.VIEWER, Scope.READ, Opening.METRICS, whole=True)
KNOWN = Rule(known=True)
SIGNED_IN = Rule(Role.VIEWER)
OPERATING = Rule(Role.OPERATOR, Scope.ADMIN)
BY_HAND = Rule(Role.OPERATOR)
WHOLE_BY_HAND = Rule(Role.OPERATOR, whole=True)
ADMINISTERING = Rule(Role.ADMIN, Scope.ADMIN)
PEOPLE_ADMINISTERING = Rule(Role.ADMIN)


def vouched(proof: str) -> Rule:
    """Return the rule of a route whose view checks `proof` before it does anything."""
    return Rule(opening=Opening.ALWAYS, proof=proof)


CLIENT = vouched("a key as client credentials")
READ: Methods = {"GET": READING}

# By the name of the route; a route without a name by its pattern.
RULES: Mapping[str, Methods] = {
    # Reports
    "transaction": {"POST": REPORTING},
    "batch": {"POST": REPORTING},
    "close-minute": {"POST": REPORTING},
    "anomalies": READ,
    "stats": READ,
    "forecast": READ,
    "backtests": {"GET": WHOLE_BY_HAND, "POST": WHOLE_BY_HAND},
    "backtest": {"GET": WHOLE_BY_HAND},
    "backtest-chart": {"GET": WHOLE_BY_HAND},
    "backtest-restart": {"POST": WHOLE_BY_HAND},
    "backtest-stop": {"POST": WHOLE_BY_HAND},
    "cache-stats": READ,
    "cache-flush": {"DELETE": ADMINISTERING},
    "reset": {"POST": ADMINISTERING},
    # Operation
    "health": {"GET": PUBLIC},
    "health-live": {"GET": PUBLIC},
    "health-ready": {"GET": PUBLIC},
    "metrics": {"GET": SCRAPING},
    "metrics-json": {"GET": SCRAPING},
    "runbook": {"GET": PUBLIC},
    "openapi": READ,
    "docs": READ,
    "redoc": READ,
    # Pages
    "live": READ,
    "live-json": READ,
    "stream": READ,
    "incidents": READ,
    "incident": READ,
    "incident-json": READ,
    "incident-action": {"POST": BY_HAND},
    "sources": READ,
    "source": READ,
    "source-names": READ,
    "help": READ,
    "^incidents$": READ,
    "^incidents/<int:pk>$": READ,
    "^sources$": READ,
    "^help$": READ,
    "login": {"GET": PUBLIC, "POST": PUBLIC},
    "logout": {"POST": PUBLIC},
    "admin-login": {"GET": PUBLIC},
    "oidc_authentication_init": {"GET": PUBLIC},
    "oidc_authentication_callback": {"GET": vouched("the state, nonce and token of the provider")},
    # Incidents
    "api-incidents": READ,
    "api-incident": READ,
    "api-incident-act": {"POST": OPERATING},
    "api-silences": {"GET": READING, "POST": OPERATING},
    "api-silence": {"DELETE": OPERATING},
    "api-statistics": READ,
    "api-oncall": {"GET": SIGNED_IN},
    "handover": {"GET": SIGNED_IN},
    "webhook-alert": {"POST": vouched("Alertmanager's bearer token")},
    "slack-actions": {"POST": vouched("Slack's signature")},
    "incident-picture": {"GET": vouched("the signature in the address")},
    # Sign-in and keys
    "auth-login": {"POST": PUBLIC},
    "auth-refresh": {"POST": vouched("the refresh token")},
    "auth-token": {"POST": CLIENT},
    "auth-revoke": {"POST": CLIENT},
    "auth-introspect": {"POST": CLIENT},
    "oauth-metadata": {"GET": PUBLIC},
    "auth-logout": {"POST": KNOWN},
    "auth-me": {"GET": KNOWN},
    "auth-stats": {"GET": ADMINISTERING},
    "auth-api-keys": {"GET": ADMINISTERING, "POST": ADMINISTERING},
    "auth-api-key": {"GET": ADMINISTERING, "DELETE": ADMINISTERING},
    "auth-api-key-rotate": {"POST": ADMINISTERING},
}

# Each page of the admin checks its own permission as well (roles.MODELS).
NAMESPACES: Mapping[str, Methods] = {
    "admin": {"GET": Rule(Role.VIEWER, whole=True), "POST": WHOLE_BY_HAND},
}
ADMIN_EXCEPTIONS: Mapping[str, Methods] = {
    "admin:logout": {"POST": PUBLIC},
    "admin:password_change": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "admin:password_change_done": {"GET": SIGNED_IN},
}


# The largest body a route reads [bytes]; nothing of a larger one is read.
USUAL_BODY = 64 * 1024
BODIES: Mapping[str, int] = {
    "transaction": LARGEST_BODY,
    "batch": LARGEST_BODY,
    "webhook-alert": 1024 * 1024,
    "slack-actions": 256 * 1024,
}
ADMIN_BODY = 2 * 1024 * 1024


def largest_body(route: str) -> int:
    """Return how many bytes a route reads at most."""
    return ADMIN_BODY if route.startswith("admin:") else BODIES.get(route, USUAL_BODY)


def unnamed(namespace: str, pattern: str) -> str:
    """Return the key of a route that has no name."""
    return f"{namespace}:^{pattern}$" if namespace else f"^{pattern}$"


def methods_of(route: str) -> Methods | None:
    """Return the rules of a route by method; None if nobody has written any."""
    if route in RULES:
        return RULES[route]
    if route in ADMIN_EXCEPTIONS:
        return ADMIN_EXCEPTIONS[route]
    return NAMESPACES.get(route.partition(":")[0]) if ":" in route else None
