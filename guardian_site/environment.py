"""Settings from the environment: `NAME`, or the first line of the file named by `NAME_FILE`."""

import ipaddress
import os
import secrets
from pathlib import Path

TRUE = frozenset({"1", "true", "yes", "on"})
SHORTEST_SECRET = 32
FALSE = frozenset({"0", "false", "no", "off", ""})


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


def kept_secret(name: str, path: Path) -> str:
    """Return the setting, or a random value made once and kept in `path` for its owner alone."""
    if text(name):
        return secret(name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()


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
