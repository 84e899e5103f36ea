"""Who sent a request: by the key's secret, or by a signature that the secret never travels with."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from ingest.services.keys import Authenticated, Known, authenticate_key, known_key, note_use

# A signature older or newer than this is refused; within it each is taken once.
WINDOW_SECONDS = 300
_SALT = "guardian.signed-request"
_VERSION = "v1="


class NotProven(Exception):
    """Credentials were sent and do not prove who sent them; the message may be shown."""


@dataclass(frozen=True)
class Asked:
    """The parts of a request that a signature covers."""

    method: str
    path: str
    body: bytes


def signing_secret(*, prefix: str, secret_hash: str) -> str:
    """What the owner of a key signs with is returned; it is derived, and stored nowhere."""
    # From the hash and SECRET_KEY together: a stolen database alone signs nothing.
    return _signing_secrets(prefix, secret_hash)[0]


def _signing_secrets(prefix: str, secret_hash: str) -> list[str]:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [
        salted_hmac(_SALT, prefix + secret_hash, secret=key, algorithm="sha256").hexdigest()
        for key in keys
    ]


def signature(*, secret: str, timestamp: str, asked: Asked) -> str:
    """The value of X-Signature is returned for a request and the signing secret of its key."""
    signed = f"{timestamp}\n{asked.method}\n{asked.path}\n".encode() + asked.body
    return _VERSION + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def secret_holder(headers: Mapping[str, str]) -> Authenticated:
    """The holder of the secret in X-API-Key is returned.

    Raises
    ------
    NotProven
        If it is nobody's, or was revoked, or has expired, or is not to be sent.
    """
    holder = authenticate_key(secret=headers["X-Api-Key"])
    if holder is None:
        raise NotProven("This API key is not valid, has expired or was revoked.")
    return holder


def signature_holder(headers: Mapping[str, str], asked: Asked, *, now: datetime) -> Authenticated:
    """The holder of the key whose signature the request carries is returned.

    Raises
    ------
    NotProven
        If the signature is wrong, too old, or was used before.
    """
    timestamp = headers.get("X-Timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotProven("X-Timestamp must be the time in Unix seconds.")
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        raise NotProven(f"X-Timestamp is more than {WINDOW_SECONDS} s off.")
    known = known_key(prefix=headers.get("X-Key-Id", "")[:20])
    if known is None or not _is_signed(known, headers["X-Signature"], timestamp, asked):
        raise NotProven("This signature is not valid.")
    _refuse_replay(headers["X-Signature"])
    note_use(holder=known.holder)
    return known.holder


def _is_signed(known: Known, given: str, timestamp: str, asked: Asked) -> bool:
    prefix, secret_hash = known.holder.prefix, known.secret_hash
    right = [
        hmac.compare_digest(
            signature(secret=secret, timestamp=timestamp, asked=asked).encode(),
            given.encode(errors="replace"),
        )
        for secret in _signing_secrets(prefix, secret_hash)
    ]
    return any(right)


def _refuse_replay(given: str) -> None:
    name = f"signature:{given.removeprefix(_VERSION)}"
    if cache.add(name, 1, timeout=2 * WINDOW_SECONDS):
        return
    # A lost cache also says that nothing was added. Reports are then taken: they count once anyway.
    if cache.get(name) is not None:
        raise NotProven("This signature was used before; sign again with the time of now.")
