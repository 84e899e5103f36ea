"""May this caller do this? Pure: it reads a rule and a caller, and gives a reason."""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus

from guardian_site.access.roles import Role
from guardian_site.access.rules import Opening, Rule, Scope


@dataclass(frozen=True)
class Caller:
    """Who calls, as far as a rule asks.

    Attributes
    ----------
    name : str
        For logs and the audit: a user name, or a key's name and prefix.
    known : bool
        They have shown who they are.
    role : Role or None
        The role of a person; None for keys and for people without one.
    scopes : frozenset of str
        What a key may do; empty for people.
    """

    name: str = ""
    known: bool = False
    role: Role | None = None
    scopes: frozenset[str] = frozenset()


NOBODY = Caller()


@dataclass(frozen=True)
class Decision:
    """What to answer: let in, or refuse with this status for this reason."""

    allowed: bool
    status: HTTPStatus = HTTPStatus.OK
    reason: str = ""


LET_IN = Decision(True)


def is_open(rule: Rule, openings: Collection[Opening]) -> bool:
    """Tell whether anybody may, given the openings that are open now."""
    return rule.opening is Opening.ALWAYS or rule.opening in openings


def decide(rule: Rule, caller: Caller, openings: Collection[Opening]) -> Decision:
    """Return whether `caller` may, and why not.

    Examples
    --------
    >>> from guardian_site.access.rules import ADMINISTERING
    >>> decide(ADMINISTERING, NOBODY, ()).status.value
    401
    >>> decide(ADMINISTERING, Caller("ana", True, Role.VIEWER), ()).status.value
    403
    """
    if is_open(rule, openings) or _suffices(rule, caller):
        return LET_IN
    if not caller.known:
        return Decision(False, HTTPStatus.UNAUTHORIZED, "Sign in, or send a token or an API key.")
    return Decision(False, HTTPStatus.FORBIDDEN, _what_is_missing(rule, caller))


def _suffices(rule: Rule, caller: Caller) -> bool:
    if rule.known and caller.known:
        return True
    if rule.role is not None and caller.role is not None and caller.role.covers(rule.role):
        return True
    if rule.scope is None:
        return False
    return rule.scope in caller.scopes or Scope.ADMIN in caller.scopes


def _what_is_missing(rule: Rule, caller: Caller) -> str:
    if caller.scopes:
        wanted = f"the scope {rule.scope}" if rule.scope else "a person, not a key"
    else:
        wanted = f"the role {rule.role}" if rule.role else "a key"
    return f"Permission denied. Required: {wanted}."
