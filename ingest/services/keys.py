"""API keys: issued once, kept as a hash, believed until revoked, replaced or expired."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ingest import steady_clock
from ingest.expiring import Expiring
from ingest.models import ApiKey, Source

# Longer than a burst of requests, short enough that a revoked key is soon refused everywhere.
REMEMBER_SECONDS = 10
USED_EVERY = timedelta(minutes=1)
PREFIX_LENGTH = 12
LONGEST_SECRET = 128
DEFAULT_OVERLAP = timedelta(hours=24)


@dataclass(frozen=True)
class Authenticated:
    """Who holds a key, as far as a request needs to know."""

    id: int
    name: str
    prefix: str
    scopes: frozenset[str]
    rate_limit: str
    source_id: int | None
    source_name: str | None
    expires: datetime | None

    # What Django and DRF ask of a user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> str:
        """Name the holder in places made for users, such as throttles and logs."""
        return f"key-{self.id}"

    @property
    def is_admin(self) -> bool:
        """Tell whether the key may administer."""
        return ApiKey.Scope.ADMIN in self.scopes


@dataclass(frozen=True)
class Known:
    """A key that was found: its holder, and what a caller has to match."""

    holder: Authenticated
    secret_hash: str
    signed_only: bool


_remembered: Expiring[str, Known] = Expiring(REMEMBER_SECONDS, limit=10_000)
_noted: Expiring[str, bool] = Expiring(USED_EVERY.total_seconds(), limit=10_000)


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so a plain hash cannot be guessed back; a slow one would
    # only slow down every report.
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_key(
    *,
    name: str,
    source: Source | None = None,
    scopes: Iterable[str] = (ApiKey.Scope.REPORT,),
    rate_limit: str = "",
    expires: datetime | None = None,
    signed_only: bool = False,
) -> tuple[ApiKey, str]:
    """A key exists; its secret is returned this once and kept nowhere."""
    secret = f"tg_{secrets.token_hex(5)[:9]}{secrets.token_urlsafe(32)}"
    key = ApiKey(
        name=name,
        source=source,
        scopes=" ".join(sorted(set(scopes))),
        rate_limit=rate_limit,
        expires=expires,
        signed_only=signed_only,
        prefix=secret[:PREFIX_LENGTH],
        secret_hash=_digest(secret),
    )
    key.full_clean(validate_unique=False)
    key.save()
    return key, secret


@transaction.atomic
def rotate_key(*, key: ApiKey, overlap: timedelta = DEFAULT_OVERLAP) -> tuple[ApiKey, str]:
    """A successor with the same rights exists; the key itself ends when the overlap is over."""
    lifetime = _lifetime(key)
    successor, secret = issue_key(
        name=key.name,
        source=key.source,
        scopes=key.scopes.split(),
        rate_limit=key.rate_limit,
        # A key that was to live for ninety days is followed by one that lives for ninety days.
        expires=steady_clock.now() + lifetime if lifetime else None,
        signed_only=key.signed_only,
    )
    ends = steady_clock.now() + overlap
    key.expires = min(key.expires, ends) if key.expires else ends
    key.successor = successor
    key.save(update_fields=("expires", "successor"))
    forget_keys()
    return successor, secret


def _lifetime(key: ApiKey) -> timedelta | None:
    """Return how long a key was to live; one that was replaced only tells when its overlap ends."""
    while key.successor is not None:
        key = key.successor
    return key.expires - key.created if key.expires else None


def authenticate_key(*, secret: str) -> Authenticated | None:
    """The holder of a valid key is returned and noted as seen; None for any other secret."""
    # Not every database can be asked for a NUL, which a form or HTTP Basic may hold.
    sound = secret.isascii() and secret.isprintable() and len(secret) <= LONGEST_SECRET
    if not sound or not secret.startswith("tg_"):
        return None
    known = known_key(prefix=secret[:PREFIX_LENGTH])
    if known is None or known.signed_only:
        return None
    if not hmac.compare_digest(known.secret_hash, _digest(secret)):
        return None
    note_use(holder=known.holder)
    return known.holder


def known_key(*, prefix: str) -> Known | None:
    """The key of this prefix is returned if it is neither revoked nor expired.

    Nothing is proven by a prefix: the caller compares the secret or the signature.
    """
    known = _remembered.get(prefix) or _looked_up(prefix)
    if known is None or (known.holder.expires and known.holder.expires <= steady_clock.now()):
        return None
    return known


def _looked_up(prefix: str) -> Known | None:
    key = ApiKey.objects.select_related("source").filter(prefix=prefix, revoked=None).first()
    if key is None:
        return None
    holder = Authenticated(
        id=key.pk,
        name=key.name,
        prefix=key.prefix,
        scopes=frozenset(key.scopes.split()),
        rate_limit=key.rate_limit,
        source_id=key.source_id,
        source_name=key.source.name if key.source else None,
        expires=key.expires,
    )
    known = Known(holder=holder, secret_hash=key.secret_hash, signed_only=key.signed_only)
    _remembered.put(prefix, known)
    return known


def note_use(*, holder: Authenticated) -> None:
    """The key was used within the last minute or two; not written at every request."""
    if _noted.get(holder.prefix) is None:
        now = steady_clock.now()
        stale = Q(last_used=None) | Q(last_used__lt=now - USED_EVERY)
        ApiKey.objects.filter(stale, pk=holder.id).update(last_used=now)
        _noted.put(holder.prefix, True)


def revoke_key(*, key: ApiKey) -> None:
    """The key opens nothing any more: here at once, in other processes within seconds."""
    if key.revoked is None:
        key.revoked = steady_clock.now()
        key.save(update_fields=("revoked",))
    forget_keys()


def forget_keys() -> None:
    """This process reads every key afresh."""
    _remembered.forget()
    _noted.forget()
