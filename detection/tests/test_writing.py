"""Rows that are written by the array come back as they were made, on either database."""

from typing import Any

import pytest
from django.db import models

from detection.models import Band, Baseline, Checkpoint
from detection.services.writing import upsert
from detection.tests.makers import at, make_source

DATABASES = [
    pytest.param("db", marks=pytest.mark.django_db),
    pytest.param("postgresql", marks=pytest.mark.postgres),
]


@pytest.fixture(params=DATABASES, autouse=True)
def _database(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


def told(row: models.Model) -> dict[str, Any]:
    """All that a row holds but its number."""
    values = {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}
    del values["id"]
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in values.items()
    }


def make_bands(**values: Any) -> list[Band]:
    source = make_source()
    return [
        Band(source=source, minute=at(0), expected=0.1, total=2**40, digest=-7, **values),
        Band(source=source, minute=at(1), learning=True, **values),
    ]


def write(bands: list[Band], *update: str) -> None:
    upsert(bands, unique_fields=["source", "minute"], update_fields=update)


def test_what_is_new_is_stored_as_it_was_made() -> None:
    bands = make_bands(level="WARNING", by_status={"denied": [1.5, None, 1e-9], 'ç"\\': []})
    write(bands, "level")
    assert [told(one) for one in Band.objects.order_by("minute")] == [told(one) for one in bands]


def test_what_is_there_changes_where_it_should() -> None:
    write(make_bands(score=0.25), "score")
    write(make_bands(score=0.5, level="CRITICAL"), "score")
    assert set(Band.objects.values_list("score", "level")) == {(0.5, "NORMAL")}


def test_bytes_and_moments_that_are_not_known_are_kept() -> None:
    source, blob = make_source(), bytes(range(256))
    one = Baseline(source=source, state=blob, through=at(0), version=3, updated=at(5))
    upsert([one], unique_fields=["source"], update_fields=["state"])
    assert told(Baseline.objects.get()) == told(one)
    first = Checkpoint(source=source, through=at(0), reported=None, state=blob)
    upsert([first], unique_fields=["source", "through"], update_fields=["state"])
    assert told(Checkpoint.objects.get()) == told(first)


def test_nothing_is_written_of_nothing() -> None:
    write([], "score")
    assert not Band.objects.exists()
