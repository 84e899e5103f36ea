"""What the command line says when the database is not there, or is another version's."""

from django.db import DatabaseError, OperationalError

# PostgreSQL's codes of a table, a column and a schema that are not there.
_ABSENT = frozenset({"42P01", "42703", "3F000"})


def in_words(error: DatabaseError) -> str | None:
    """Return one line for a fault that whoever runs the command can mend; None for one of ours."""
    lines = str(error).splitlines()
    told = lines[0].strip().removesuffix(".") if lines else type(error).__name__
    absent = getattr(error.__cause__, "sqlstate", None) in _ABSENT
    if absent or told.startswith(("no such table", "no such column")):
        return (
            f"The tables of this database are not those of this version ({told}). If it is the "
            "one you mean (GUARDIAN_DATA_DIR, DATABASE_URL), `manage.py migrate` makes them so."
        )
    if isinstance(error, OperationalError):
        return f"The database cannot be used: {told}."
    return None
