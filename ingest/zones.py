"""Which names of time zones mean the same everywhere, in browsers and databases, too."""

from zoneinfo import ZoneInfo

# Files that a system keeps beside the zones: its own clock, none at all, clocks of leap seconds.
OF_THE_SYSTEM = ("localtime", "posixrules", "Factory")
FOLDERS_OF_THE_SYSTEM = ("posix/", "right/")


def is_zone(name: str) -> bool:
    """Tell whether a name is one of IANA that this machine knows.

    Examples
    --------
    >>> is_zone("America/Sao_Paulo"), is_zone("Sao_Paulo")
    (True, False)
    >>> is_zone("localtime"), is_zone("right/UTC")
    (False, False)
    """
    if name in OF_THE_SYSTEM or name.startswith(FOLDERS_OF_THE_SYSTEM):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
