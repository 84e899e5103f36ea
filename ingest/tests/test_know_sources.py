import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.models import Source
from ingest.services import forget_sources, sources
from ingest.services.sources import known_sources

pytestmark = pytest.mark.django_db


def made(count: int) -> list[str]:
    names = [f"s{number}" for number in range(count)]
    Source.objects.bulk_create([Source(name=name) for name in names])
    forget_sources()
    return names


def test_one_miss_makes_its_neighbours_known(monkeypatch: pytest.MonkeyPatch) -> None:
    names = made(30)
    monkeypatch.setattr(sources, "READ_AHEAD", 10)
    for name in (names[0], names[12], names[24], names[29]):
        assert known_sources(names=[name])[name].name == name
    with CaptureQueriesContext(connection) as asked:
        assert known_sources(names=names).keys() == set(names)
    assert len(asked) == 0


def test_a_name_that_nobody_has_reads_nothing_beside_it() -> None:
    made(5)
    with CaptureQueriesContext(connection) as asked:
        assert known_sources(names=["nobody"]) == {}
    assert len(asked) == 1


def test_a_source_that_was_made_after_the_walk_is_found() -> None:
    names = made(5)
    known_sources(names=names)
    Source.objects.create(name="late")
    assert known_sources(names=["late"])["late"].name == "late"
