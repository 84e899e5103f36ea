"""How `manage.py` ends on a database fault, a refused setting, Ctrl-C or a closed pipe."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, OperationalError, connection

from guardian_site.environment import SettingError

# PostgreSQL's error codes for a missing table, column and schema.
_ABSENT = frozenset({"42P01", "42703", "3F000"})
# Its error codes for what it forbids, with what to look at.
_FORBIDDEN = {
    "42501": "Is the user of DATABASE_URL the owner of the database, and of what is in it?",
    "25006": "It takes no writes: a demoted primary, or the address of a standby?",
}
# The exit status that shells give to a program ended by SIGINT.
_ENDED_BY_HAND = 130


@contextmanager
def ending_in_words() -> Iterator[None]:
    """End the program with one line on a wrong setting, a database fault or Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        print("Stopped before the end.", file=sys.stderr)
        sys.exit(_ENDED_BY_HAND)
    except BrokenPipeError:
        # The reader is gone: Python's flush of standard output at exit must not fail on it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SettingError as error:
        sys.exit(f"Setting refused: {error}")
    except DatabaseError as error:
        told = in_words(error)
        if told is None or "--traceback" in sys.argv:
            raise
        sys.exit(told)


def in_words(error: DatabaseError) -> str | None:
    """Return one line about a fault that the operator can mend; None for a fault of ours."""
    # Django's search for migrations wraps the database's error once more.
    cause = error.__cause__ or getattr(error.__context__, "__cause__", None)
    state = getattr(cause, "sqlstate", None)
    lines = str(cause if state in _FORBIDDEN else error).splitlines()
    told = lines[0].strip().removesuffix(".") if lines else type(error).__name__
    if state in _FORBIDDEN:
        return f"The database does not allow it: {told}. {_FORBIDDEN[state]}"
    if state in _ABSENT or told.startswith(("no such table", "no such column")):
        return (
            f"The tables of this database are not those of this version ({told}). If it is the "
            "one you mean (GUARDIAN_DATA_DIR, DATABASE_URL), `manage.py migrate` makes them so."
        )
    if isinstance(error, OperationalError):
        return f"The database cannot be used: {told}. {_what_to_look_at(told)}".rstrip()
    return None


def _what_to_look_at(told: str) -> str:
    if connection.vendor == "postgresql":
        return "Does it run, and is DATABASE_URL right?"
    # SQLite has two messages for a full disk, and both hold this word.
    return "Is the disk of GUARDIAN_DATA_DIR full?" if " disk " in f" {told}" else ""
