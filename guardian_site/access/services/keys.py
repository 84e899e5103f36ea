"""Keys as administrators see them: found by id, prefix or name, made, replaced, revoked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardian_site.access.selectors import living_keys
from ingest.models import ApiKey, Source
from ingest.services.keys import issue_key
from ingest.services.proving import signing_secret

# What the former system called the scopes; its clients still send these words.
FORMER_WORDS = {"write": ApiKey.Scope.REPORT}
SHORTEST_DAYS, LONGEST_DAYS = 1, 3650


class KeyNotFound(LookupError):
    """No living key goes by that id, prefix or name; the message may be shown."""


class KeyAmbiguous(LookupError):
    """Several living keys go by that name; the message lists their ids."""


@dataclass(frozen=True)
class Wanted:
    """What somebody wants a new key to be."""

    name: str
    scopes: Sequence[str]
    source: Source | None = None
    rate_limit: str = ""
    days: int | None = None
    signed_only: bool = False


def scopes_from(words: Sequence[str]) -> list[str]:
    """Return the scopes that words of ours or of the former system stand for."""
    return sorted({str(FORMER_WORDS.get(word, word)) for word in words})


def make_key(*, wanted: Wanted, now: datetime) -> tuple[ApiKey, str]:
    """A key as wanted exists; its secret is returned this once."""
    return issue_key(
        name=wanted.name,
        source=wanted.source,
        scopes=scopes_from(wanted.scopes),
        rate_limit=wanted.rate_limit,
        expires=now + timedelta(days=wanted.days) if wanted.days else None,
        signed_only=wanted.signed_only,
    )


def find_key(*, reference: str, now: datetime) -> ApiKey:
    """Return the one living key with this id, prefix or name.

    A key has the name of those that it replaced, so by name one that has not expired is preferred.

    Raises
    ------
    KeyNotFound, KeyAmbiguous
    """
    if not reference.isprintable():
        raise KeyNotFound("There is no such key.")
    found = _of_id(reference) or list(living_keys().filter(prefix=reference))
    if not found:
        named = living_keys().filter(name=reference)
        found = list(named.exclude(expires__lte=now)[:20] or named[:20])
    if not found:
        raise KeyNotFound("There is no such key.")
    if len(found) > 1:
        ids = ", ".join(str(key.pk) for key in found)
        raise KeyAmbiguous(f"Several keys have this name; name one by its id: {ids}.")
    return found[0]


def _of_id(reference: str) -> list[ApiKey]:
    if not (reference.isascii() and reference.isdigit() and len(reference) < 16):
        return []
    return list(living_keys().filter(pk=int(reference)))


def key_signing_secret(key: ApiKey) -> str:
    """Return the secret by which the owner of the key signs requests."""
    return signing_secret(prefix=key.prefix, secret_hash=key.secret_hash)
