"""What every channel offers, and the one seam to the network."""

import json
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit

from alerts.conf import REQUEST_SECONDS
from alerts.messages import Brief
from alerts.models import Channel
from ingest import steady_clock
from ingest.plain import plain

if TYPE_CHECKING:
    import httpx

ANSWER_AT_MOST = 300
ERROR_AT_MOST = 500
REDIRECTED = "it leads elsewhere, and is not followed; write the address it leads to"
# The most that is read of an answer [bytes]; the longest, 100 updates of Telegram, is shorter.
READ_AT_MOST = 4 * 1024 * 1024
# The longest that a whole answer may take, however slowly it trickles in [s].
ANSWER_SECONDS = 2 * REQUEST_SECONDS
ENVIRONMENT = "env:"
# Whoever sets up a channel chooses where it sends to, so it must not be able to send these.
NEVER_SENT = frozenset(
    {
        *("GUARDIAN_SECRET_KEY", "GUARDIAN_OLD_SECRET_KEYS", "GUARDIAN_JWT_KEYS"),
        *("GUARDIAN_OIDC_CLIENT_SECRET", "GUARDIAN_WEBHOOK_TOKEN", "SLACK_SIGNING_SECRET"),
        *("DATABASE_URL", "REDIS_URL", "GUARDIAN_BROKER_URL", "GUARDIAN_STREAM_URL"),
    }
)
LONGEST_RETRY_AFTER = 3600.0


class ChannelError(Exception):
    """A message could not be sent.

    Attributes
    ----------
    permanent : bool
        Sending it again would fail again: the channel itself is broken.
    retry_after : float or None
        How long the vendor asks to wait [s]; None if it did not say.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        # Much of it was said by the other side, and not every database takes every character.
        super().__init__(plain(message, ERROR_AT_MOST))
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True)
class Outgoing:
    """One message on its way.

    Attributes
    ----------
    key : str
        The same for every try of the same message, for vendors that drop repeats.
    kind : str
        The notification's kind.
    brief : Brief or None
        The incident in words; None for texts that belong to no incident.
    title, text : str
        What to say where there is no brief.
    reference : str
        The vendor's name for the incident's earlier message in this channel, if there is one.
    tried : bool
        An earlier try may have arrived without our knowing.
    replaced : tuple of str
        Keys of messages that this one stands for and of which a try may have arrived.
    image : str
        Public address of the chart; empty where nobody outside can fetch one.
    picture : bytes
        The chart as a PNG, for channels that carry it along; empty for the others.
    """

    key: str
    kind: str
    brief: Brief | None = None
    title: str = ""
    text: str = ""
    reference: str = ""
    tried: bool = False
    replaced: tuple[str, ...] = ()
    image: str = ""
    picture: bytes = b""


@dataclass(frozen=True)
class Receipt:
    """What the vendor calls the message, and whom it left out; empty if it does not say."""

    reference: str = ""
    left_out: str = ""


class Adapter(Protocol):
    """How to send to one kind of channel. `edits`: an earlier message is changed in place."""

    @property
    def edits(self) -> bool: ...

    @property
    def needs(self) -> tuple[str, ...]: ...

    def lacking(self, channel: Channel) -> list[str]: ...

    def configured(self, channel: Channel) -> bool: ...

    def check(self, channel: Channel) -> None: ...

    def send(self, channel: Channel, message: Outgoing) -> Receipt: ...


class Configurable:
    """What adapters have in common: where their settings are, and what they find wrong in them."""

    needs: tuple[str, ...] = ()

    def value(self, channel: Channel, name: str) -> str:
        """Return what a need is filled with; empty for nothing."""
        return setting(channel, name)

    def lacking(self, channel: Channel) -> list[str]:
        """Return the needs that are empty."""
        return [name for name in self.needs if not self.value(channel, name)]

    def configured(self, channel: Channel) -> bool:
        """Tell whether every need is filled."""
        return not self.lacking(channel)

    def check(self, channel: Channel) -> None:
        """Refuse a configuration with which no message could be sent; nobody is called for it.

        Raises
        ------
        ChannelError
            Permanent, unless a name server did not answer.
        """
        if api := setting(channel, "api"):
            read_address(api)


def setting(channel: Channel, name: str) -> str:
    """Return a value of the channel's configuration; “env:NAME” is read from the environment."""
    value = str(channel.configuration.get(name, ""))
    if not value.startswith(ENVIRONMENT):
        return value
    variable = value.removeprefix(ENVIRONMENT)
    if variable in NEVER_SENT:
        return ""
    if path := os.environ.get(f"{variable}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""
    return os.environ.get(variable, "")


def variables(channel: Channel) -> dict[str, str]:
    """Return the names of the environment's variables that settings of the channel stand in."""
    return {
        name: value.removeprefix(ENVIRONMENT)
        for name, value in channel.configuration.items()
        if isinstance(value, str) and value.startswith(ENVIRONMENT)
    }


def why_lacking(channel: Channel, names: Sequence[str]) -> str:
    """Return in words which settings are empty, and which variable would fill them."""
    stand_in = variables(channel)
    return ", ".join(
        f"{name} ({_why_empty(stand_in[name])})" if name in stand_in else name for name in names
    )


def _why_empty(variable: str) -> str:
    if variable in NEVER_SENT:
        return f"{variable} is a secret of Guardian itself and goes to no channel"
    return f"{variable} is not set"


def read_address(url: str) -> SplitResult:
    """Return the parts of an address that can be called.

    Raises
    ------
    ChannelError
        If it is none. It is not told: addresses of webhooks are secrets.
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise ChannelError("this is no address: write https://host/path", permanent=True)
    return parts


def post(
    url: str,
    *,
    body: Mapping[str, Any] | list[Any] | None = None,
    content: bytes | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    address: str | None = None,
) -> "httpx.Response":
    """Send one request and return the answer, whatever its status; redirects are not followed.

    The other side decides neither how long this lasts nor how much memory it takes.

    Parameters
    ----------
    address : str or None
        The IP address to call whatever the name in `url` resolves to; None to look it up.

    Raises
    ------
    ChannelError
        If no answer came: transient, because a network that is away comes back.
    """
    # Web processes describe channels and call none: they do without a client.
    import httpx

    # What is packed could unfold to anything, so nothing packed is asked for, and none is unpacked.
    sent = {"Accept-Encoding": "identity", **(headers or {})}
    extensions: dict[str, Any] = {}
    try:
        target = httpx.URL(url)
        if address is not None:
            sent["Host"] = target.netloc.decode()
            extensions["sni_hostname"] = target.host
            target = target.copy_with(host=address)
        with httpx.Client(timeout=REQUEST_SECONDS, follow_redirects=False) as client:
            asked = client.build_request(
                "POST",
                target,
                json=body,
                content=content,
                data=form,
                headers=sent,
                extensions=extensions,
            )
            with _cut_in_time(client):
                answer = client.send(asked, stream=True)
                return _start_of(answer)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise ChannelError(f"not an address that can be called: {error}", permanent=True) from error
    except httpx.HTTPError as error:
        # The address may hold a secret, as Slack's and Telegram's do; the class says enough.
        raise ChannelError(f"no answer: {type(error).__name__}") from error


@contextmanager
def _cut_in_time(client: "httpx.Client") -> Iterator[None]:
    """Close the client at the deadline: its own timeout begins anew with each piece received."""
    cut = threading.Timer(ANSWER_SECONDS, client.close)
    cut.daemon = True
    cut.start()
    try:
        yield
    finally:
        cut.cancel()


def _start_of(answer: "httpx.Response") -> "httpx.Response":
    """Return the beginning of the answer, as far as we read it, without decompressing it."""
    import httpx

    found = bytearray()
    for piece in answer.iter_raw():
        found += piece
        if len(found) >= READ_AT_MOST:
            break
    headers = [pair for pair in answer.headers.raw if pair[0].lower() != b"content-encoding"]
    content = bytes(found[:READ_AT_MOST])
    return httpx.Response(answer.status_code, headers=headers, content=content)


def refuse_failure(
    answer: "httpx.Response", *, permanent: frozenset[int] = frozenset({400, 401, 403, 404, 410})
) -> None:
    """Raise what an HTTP status that is not a success means for the channel."""
    if answer.is_success:
        return
    if answer.is_redirect:
        raise ChannelError(f"HTTP {answer.status_code}: {REDIRECTED}")
    # Not by the encoding that the answer names, which may be none of text.
    said = " ".join(answer.content.decode(errors="replace")[:ANSWER_AT_MOST].split())
    raise ChannelError(
        f"HTTP {answer.status_code}: {said}",
        permanent=answer.status_code in permanent,
        retry_after=retry_after(answer.headers.get("Retry-After")),
    )


def retry_after(header: str | None) -> float | None:
    """Read a Retry-After header, in seconds or as a date; None if it says nothing usable.

    Examples
    --------
    >>> retry_after("30"), retry_after(None), retry_after("soon"), retry_after("nan")
    (30.0, None, None, None)
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        # One that names no zone, or “-0000”, is of Greenwich too.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - steady_clock.now()).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def answer_object(answer: "httpx.Response") -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises
    ------
    ChannelError
        If it is something else: a proxy's page, half an answer. Transient.
    """
    try:
        found = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ChannelError(f"HTTP {answer.status_code} with an answer that is not JSON") from error
    if not isinstance(found, dict):
        raise ChannelError("the answer is not a JSON object")
    return found
