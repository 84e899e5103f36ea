"""API keys: issued once, kept as a hash, believed until revoked or expired."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from ingest.expiring import Expiring
from ingest.models import ApiKey, Source

# Longer than a burst of requests, short enough that a revoked key is soon refused everywhere.
REMEMBER_SECONDS = 10
USED_EVERY = timedelta(minutes=1)
PREFIX_LENGTH = 12
LONGEST_SECRET = 128


@dataclass(frozen=True)
class Authenticated:
    """Who holds a key, as far as a request needs to know."""

    id: int
    name: str
    prefix: str
    scope: str
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
        return self.scope == ApiKey.Scope.ADMIN


_remembered: Expiring[str, Authenticated] = Expiring(REMEMBER_SECONDS, limit=10_000)


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so a plain hash cannot be guessed back; a slow one would
    # only slow down every report.
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_key(
    *,
    name: str,
    source: Source | None = None,
    scope: str = ApiKey.Scope.REPORT,
    rate_limit: str = "",
    expires: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A key exists; its secret is returned this once and kept nowhere."""
    secret = f"tg_{secrets.token_hex(5)[:9]}{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        source=source,
        scope=scope,
        rate_limit=rate_limit,
        expires=expires,
        prefix=secret[:PREFIX_LENGTH],
        secret_hash=_digest(secret),
    )
    return key, secret


def authenticate_key(*, secret: str) -> Authenticated | None:
    """The holder of a valid key is returned and noted as seen; None for any other secret."""
    if not secret.isascii() or not secret.startswith("tg_") or len(secret) > LONGEST_SECRET:
        return None
    digest = _digest(secret)
    holder = _remembered.get(digest) or _looked_up(secret, digest)
    if holder is None or (holder.expires and holder.expires <= timezone.now()):
        return None
    return holder


def _looked_up(secret: str, digest: str) -> Authenticated | None:
    key = ApiKey.objects.select_related("source").filter(prefix=secret[:PREFIX_LENGTH]).first()
    if key is None or not hmac.compare_digest(key.secret_hash, digest) or key.revoked:
        return None
    holder = Authenticated(
        id=key.pk,
        name=key.name,
        prefix=key.prefix,
        scope=key.scope,
        rate_limit=key.rate_limit,
        source_id=key.source_id,
        source_name=key.source.name if key.source else None,
        expires=key.expires,
    )
    if key.expires is None or key.expires > timezone.now():
        _note_use(key)
        _remembered.put(digest, holder)
    return holder


def _note_use(key: ApiKey) -> None:
    """Write the time of use, but not at every request."""
    now = datetime.now(UTC)
    if key.last_used is None or key.last_used < now - USED_EVERY:
        stale = Q(last_used=None) | Q(last_used__lt=now - USED_EVERY)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used=now)


def revoke_key(*, key: ApiKey) -> None:
    """The key opens nothing any more: here at once, in other processes within seconds."""
    ApiKey.objects.filter(pk=key.pk, revoked=None).update(revoked=timezone.now())
    forget_keys()


def forget_keys() -> None:
    """This process reads every key afresh."""
    _remembered.forget()
