"""Settings from the environment: `NAME`, or the first line of the file named by `NAME_FILE`."""

import contextlib
import ipaddress
import os
import re
import secrets
from collections.abc import Container, Iterable
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from ingest.zones import is_zone

ZONES = Path("/usr/share/zoneinfo")
WEB = ("http", "https")
REDIS = ("redis", "rediss", "unix")
HOST_NAME = re.compile(r"^[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$", re.ASCII | re.IGNORECASE)
REDIS_PATH = re.compile(r"^(/\d*)?$", re.ASCII)
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})
SHORTEST_SECRET = 32
# Bounded, because clients can make up addresses in X-Forwarded-For.
REMEMBERED_ADDRESSES = 4096
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingError(ValueError):
    """A setting cannot be read; the message names it and says what to write."""


def text(name: str, default: str = "") -> str:
    """Return the setting `name`, or the content of the file that `name_FILE` points to.

    Raises
    ------
    SettingError
        If both are set, or the file cannot be read.
    """
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and path:
        raise SettingError(f"{name} and {name}_FILE are both set: keep one.")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{name}_FILE={path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise SettingError(f"{name}_FILE={path}: this is no text.") from error
    return default if value is None else value.strip()


def flag(name: str, default: bool = False) -> bool:
    """Return a yes/no setting."""
    value = text(name, "on" if default else "off").lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise SettingError(f"{name}={value}: write on or off.")


def whole(name: str, default: int, low: int, high: int) -> int:
    """Return a whole number between `low` and `high`, both included."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise SettingError(f"{name}={value}: write a whole number, {low} to {high}.") from None
    if not low <= number <= high:
        raise SettingError(f"{name}={value}: write a whole number, {low} to {high}.")
    return number


def names(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list, empty items left out."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def choice(name: str, default: str, *known: str) -> str:
    """Return the known word that the setting names, in upper or lower case."""
    value = text(name, default)
    for word in known:
        if word.lower() == value.lower():
            return word
    raise SettingError(f"{name}={value}: write {', '.join(known[:-1])} or {known[-1]}.")


def zone(name: str, default: str) -> str:
    """Return the name of a time zone that this machine knows."""
    value = text(name, default)
    # Where the system has zone files, Django insists on one for this zone.
    if not (is_zone(value) and ((ZONES / value).is_file() or not ZONES.exists())):
        raise SettingError(f"{name}={value}: write an IANA name such as America/Sao_Paulo.")
    return value


def is_address(value: str, schemes: tuple[str, ...] = WEB) -> bool:
    """Tell whether `value` is an address with one of these schemes.

    Examples
    --------
    >>> is_address("https://guardian.example.com"), is_address("guardian.example.com")
    (True, False)
    >>> is_address("http://host:port"), is_address("unix:///run/redis.sock", ("redis", "unix"))
    (False, True)
    >>> is_address("redis://host/2", REDIS), is_address("redis://host/cache", REDIS)
    (True, False)
    """
    try:
        parts = urlsplit(value)
        # A list of hosts has no one port; the client that connects checks it.
        port = None if "," in parts.netloc else parts.port
    except ValueError:
        return False
    if parts.scheme not in schemes or port == 0:
        return False
    if parts.scheme in REDIS:
        return _leads_to_redis(value)
    # A broker of files (filesystem://) has no host: it lies in the data folder.
    return bool(parts.hostname) or parts.scheme == "filesystem"


def _leads_to_redis(value: str) -> bool:
    """Tell whether cache and Celery find the same database at this address.

    A path that is not a number is the first database to one of their clients, an error to the
    other.
    """
    from redis.connection import parse_url

    try:
        told = parse_url(value)  # type: ignore[no-untyped-call]
    except ValueError:
        return False
    path = urlsplit(value).path
    return bool(told.get("path")) if value.startswith("unix:") else bool(REDIS_PATH.match(path))


def address(
    name: str,
    default: str = "",
    *,
    schemes: tuple[str, ...] = WEB,
    example: str = "https://host/path",
) -> str:
    """Return an address; empty only where there is no default. No error shows its value."""
    value = text(name, default)
    if is_address(value, schemes) or (not value and not default):
        return value
    left_out = "" if default else ", or leave it out"
    raise SettingError(f"{name} is no address: write one such as {example}{left_out}.")


def origins(name: str) -> list[str]:
    """Return a comma-separated list of origins (https://host), as browsers send them."""
    found = [one.rstrip("/").lower() for one in names(name)]
    if bad := [one for one in found if not is_address(one)]:
        raise SettingError(f"{name}: {bad[0]} is no address: write https://{bad[0]}.")
    if bad := [one for one in found if urlsplit(one).path or urlsplit(one).query]:
        raise SettingError(f"{name}: {bad[0]}: leave out what comes after the host.")
    return found


def machines(name: str) -> Container[str]:
    """Return a container of the IP addresses in a comma-separated list of them and of networks."""
    found = names(name)
    try:
        single = [short_address(one) for one in found if "/" not in one]
        networks = [ipaddress.ip_network(one, strict=False) for one in found if "/" in one]
    except ValueError as error:
        raise SettingError(
            f"{name}: {error}: write IP addresses or networks, separated by commas."
        ) from None
    if everybody := [network for network in networks if network.prefixlen == 0]:
        raise SettingError(f"{name}: {everybody[0]} is everybody: write your own networks.")
    return Machines(single, networks) if networks else single


class Machines:
    """Some addresses and all those of some networks; answers are remembered.

    Examples
    --------
    >>> ours = Machines(["192.0.2.7"], [ipaddress.ip_network("10.244.0.0/16")])
    >>> "192.0.2.7" in ours, "10.244.3.9" in ours, "10.245.0.1" in ours, "2001:db8::1" in ours
    (True, True, False, False)
    """

    def __init__(self, single: Iterable[str], networks: Iterable[Network]) -> None:
        self._single, self._networks = frozenset(single), tuple(networks)
        self._holds = lru_cache(maxsize=REMEMBERED_ADDRESSES)(self._look_for)

    def __contains__(self, address: object) -> bool:
        return self._holds(str(address))

    def _look_for(self, address: str) -> bool:
        if address in self._single:
            return True
        found = ipaddress.ip_address(address)
        return any(found in network for network in self._networks)


def short_address(value: str) -> str:
    """Return an IP address in its shortest spelling; ValueError if it is none.

    A server that listens on all addresses sees IPv4 clients as IPv6 addresses (`::ffff:192.0.2.7`):
    of these the IPv4 address is returned.

    Examples
    --------
    >>> short_address("2001:DB8:0::1"), short_address("::ffff:192.0.2.7")
    ('2001:db8::1', '192.0.2.7')
    """
    found = ipaddress.ip_address(value)
    return str(getattr(found, "ipv4_mapped", None) or found)


def folder(name: str, default: Path) -> Path:
    """Return a folder, made if it was missing."""
    value = text(name) or str(default)
    # Where no shell has expanded it, as in a systemd unit, the value may still begin with ~.
    with contextlib.suppress(RuntimeError):
        return made(Path(value).expanduser(), f"{name}={value}")
    raise SettingError(f"{name}={value}: there is no such home; write the whole path.")


def made(path: Path, told: str) -> Path:
    """Return the folder, made if it was missing; `told` names the setting in errors."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"{told}: {path} cannot be made: {error.strerror}. Name a folder you may write to."
        ) from error
    return path


def made_private(path: Path, told: str) -> None:
    """The file exists, made empty if it was missing, and is shut to others."""
    made(path.parent, told)
    try:
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise SettingError(f"{told}: {path} cannot be made: {error.strerror}.") from error
    shut_to_others(path)


def shut_to_others(path: Path) -> None:
    """A file that everybody on this machine could read is its owner's alone.

    Former versions made such files. One that is shut to others already keeps the rights of its
    group, which somebody chose; one that another user owns stays as it is.
    """
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        if mode & 0o007:
            path.chmod(mode & 0o700)


def secret(name: str) -> str:
    """Return a secret that must be set and be long enough not to be guessed."""
    value = text(name)
    if len(value) < SHORTEST_SECRET:
        raise SettingError(
            f"{name} must be set to {SHORTEST_SECRET} or more random characters "
            f"(or {name}_FILE to a file of them), such as those of "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'."
        )
    return value


def secret_list(name: str) -> list[str]:
    """Return a comma-separated list of secrets, none of them short enough to be guessed."""
    found = names(name)
    if any(len(one) < SHORTEST_SECRET for one in found):
        raise SettingError(
            f"{name}: each needs {SHORTEST_SECRET} or more random characters; separate them by "
            "commas, the newest first."
        )
    return found


def kept_secret(name: str, path: Path) -> str:
    """Return the setting, or a random value made once and kept in `path` for its owner alone."""
    if text(name):
        return secret(name)
    made(path.parent, name)
    try:
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
        kept = path.read_text(encoding="utf-8").strip()
        shut_to_others(path)
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}. Mend it, or set {name}.") from error
    # The disk was full when it was made, or somebody edited it.
    if len(kept) < SHORTEST_SECRET:
        raise SettingError(
            f"{path} holds fewer than {SHORTEST_SECRET} characters: put back what it held, or "
            "delete it, and another is made."
        )
    return kept


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_address(host: str, port: int) -> str:
    """Return the URL at which this machine reaches its own server that listens on `host`.

    Examples
    --------
    >>> own_address("::1", 8001), own_address("0.0.0.0", 8001)
    ('http://[::1]:8001', 'http://127.0.0.1:8001')
    """
    with contextlib.suppress(ValueError):
        found = ipaddress.ip_address(host)
        if found.is_unspecified:
            host = "127.0.0.1" if found.version == 4 else "::1"
    return f"http://{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """Return a host as URLs and Host headers spell it: IPv6 addresses in brackets.

    Examples
    --------
    >>> bracketed("2001:db8::1"), bracketed("guardian.example.com")
    ('[2001:db8::1]', 'guardian.example.com')
    """
    return f"[{host}]" if ":" in host else host


def listening_host(name: str, default: str) -> str:
    """Return a host to listen on: an IP address as it is, or a name."""
    value = text(name, default)
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not HOST_NAME.match(value):
            raise SettingError(
                f"{name}={value}: write an IP address or a name alone, such as 127.0.0.1 or ::1."
            ) from None
    return value.lower()
