"""A recorded report says which version of what is known of its source is stored."""

from collections.abc import Sequence
from typing import Any

import pytest

from detection.models import Baseline
from detection.scoring.state import State
from detection.selectors import baselines
from detection.services.watch import Watch
from detection.services.watched import NEVER
from ingest.models import Source
from ingest.tests.makers import make_report, record

Asked = list[tuple[str, list[int]]]


def learned(name: str, version: int = 1) -> int:
    source, _ = Source.objects.get_or_create(name=name)
    state = State.new(1).pack()[0]
    Baseline.objects.update_or_create(source=source, defaults={"state": state, "version": version})
    return source.pk


@pytest.mark.parametrize(
    "database",
    [
        pytest.param("db", marks=pytest.mark.django_db),
        pytest.param("postgresql", marks=pytest.mark.postgres),
    ],
)
def test_every_report_brings_the_version_of_its_source(
    database: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(database)
    reports = [make_report(name=name, external_id=one) for name in "abc" for one in ("", "t1")]
    learned("a", 7)
    learned("b", 9)
    assert [one.known_version for one in record(*reports)] == [7, 7, 9, 9, NEVER, NEVER]
    learned("a", 8)
    assert [one.known_version for one in record(*reports)] == [8, 8, 9, 9, NEVER, NEVER]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the database was asked of which sources."""
    asked: Asked = []

    def spy(name: str) -> None:
        ask = getattr(baselines, name)

        def spied(source_ids: Sequence[int]) -> Any:
            asked.append((name, list(source_ids)))
            return ask(source_ids)

        monkeypatch.setattr(baselines, name, spied)

    spy("versions")
    spy("recents")
    spy("baselines")
    return asked


@pytest.mark.django_db
def test_what_has_not_changed_is_not_asked_about(watch: Watch, asked: Asked) -> None:
    a, b = learned("a"), learned("b")
    known = watch.get([a, b])
    asked.clear()
    assert watch.get([a, b], versions={a: 1, b: 1}, fresh=0) == known
    assert not asked


@pytest.mark.django_db
def test_what_changed_is_read_at_once(watch: Watch, asked: Asked) -> None:
    a, b = learned("a"), learned("b")
    known = watch.get([a, b])
    learned("b", 2)
    asked.clear()
    found = watch.get([a, b], versions={a: 1, b: 2}, fresh=100)
    assert found[a] is known[a]
    assert found[b].version == 2
    assert asked == [("recents", [b]), ("baselines", [b])]


def test_of_what_nothing_is_known_nothing_is_asked(watch: Watch, asked: Asked) -> None:
    assert watch.get([5], versions={5: NEVER})[5].version == NEVER
    assert not asked


@pytest.mark.django_db
def test_what_was_known_and_is_deleted_is_not_trusted_any_more(watch: Watch) -> None:
    a = learned("a")
    watch.get([a])
    assert watch.get([a], versions={a: NEVER})[a].version == NEVER
    assert watch.get([a], fresh=100)[a].version == NEVER


@pytest.mark.django_db
def test_without_a_version_it_is_asked_for_once_in_a_while(watch: Watch, asked: Asked) -> None:
    a, b = learned("a"), learned("b")
    watch.get([a])
    asked.clear()
    watch.get([a], fresh=100)
    assert not asked
    watch.get([a], fresh=0)
    assert asked == [("versions", [a])]
    watch.get([a, b], versions={a: 1}, fresh=0)
    assert asked[1:] == [("versions", [b]), ("baselines", [b])]
