"""Which dump may be restored into which database, decided before anything is written."""

import pytest

from guardian_site.upkeep.dumps import Dump, Target
from guardian_site.upkeep.postgresql_tools import BackupFailed

CONTENTS = """;
; Archive created at 2026-03-04 12:00:00 UTC
;     dbname: guardian
;
2; 3079 16389 EXTENSION - timescaledb
312; 1259 17513 TABLE public ingest_minutecount guardian
204; 1259 16421 TABLE public django_migrations guardian
4321; 0 16421 TABLE DATA public django_migrations guardian
"""
NOTED = """
COPY _timescaledb_catalog.metadata (key, value, include_in_telemetry) FROM stdin;
install_timestamp\t2026-11-26 14:34:52.186045+00\tt
timescaledb_version\t2.29.2\tf
\\.
"""
TIMESCALE = Dump("guardian", "2.29.2")
PLAIN = Dump("guardian", None)


def test_a_dump_tells_its_owner_and_the_version_of_its_extension() -> None:
    assert Dump.read(CONTENTS, NOTED) == TIMESCALE
    assert Dump.read(CONTENTS, "--\n-- PostgreSQL database dump\n--\n") == PLAIN


def test_a_dump_of_something_else_is_known() -> None:
    with pytest.raises(BackupFailed, match="no backup of Guardian"):
        Dump.read("12; 1259 17513 TABLE public payments guardian\n", "")


@pytest.mark.parametrize("dump", [PLAIN, TIMESCALE])
@pytest.mark.parametrize("timescale", [None, "2.29.2"])
def test_an_empty_database_takes_it(dump: Dump, timescale: str | None) -> None:
    assert Target(tables=0, role="guardian", timescale=timescale).refusal(dump) is None


@pytest.mark.parametrize(
    ("dump", "target", "reason"),
    [
        (PLAIN, Target(1, "guardian", None), "not empty"),
        (TIMESCALE, Target(58, "guardian", "2.29.2"), "not empty"),
        (TIMESCALE, Target(0, "guardian", "2.28.3"), "the database has 2.28.3"),
        (TIMESCALE, Target(0, "postgres", None), "belong to guardian"),
    ],
)
def test_another_database_is_refused(dump: Dump, target: Target, reason: str) -> None:
    assert reason in (target.refusal(dump) or "")


def test_a_plain_dump_may_change_hands() -> None:
    assert Target(0, "somebody", None).refusal(PLAIN) is None
