"""Every reader of outsiders' bytes, given bytes that were made to break it."""

import json
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.tests.makers import open_incident
from deploy.fuzz.seeds import SEEDS, WORDS
from deploy.fuzz.targets import TARGETS
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**31, 2**63, 10**12, 10**13, 10**40])
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=12,
)


@st.composite
def bent(draw: st.DrawFn, seed: bytes) -> bytes:
    """A right one with one value of it replaced, or a piece of its text."""
    if draw(st.booleans()) and seed.startswith(b"{"):
        tree = json.loads(seed)
        place: Any = tree
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                break
            place = inner
        place[key] = draw(VALUES)
        return json.dumps(tree).encode("utf-8", "replace")
    start = draw(st.integers(0, len(seed)))
    end = draw(st.integers(start, min(len(seed), start + 12)))
    put = draw(st.binary(max_size=12) | st.sampled_from([word.encode() for word in WORDS]))
    return seed[:start] + put + seed[end:]


def inputs(name: str) -> st.SearchStrategy[bytes]:
    bents = [bent(seed) for seed in SEEDS[name]]
    return st.one_of(st.binary(max_size=200), VALUES.map(_written), *bents)


def _written(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_right_one_is_read(name: str) -> None:
    open_incident()
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", sorted(TARGETS))
@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_comes_it_is_read_or_refused_and_forges_no_line_of_a_log(
    name: str, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    caplog.clear()
    TARGETS[name](data.draw(inputs(name)))
    assert [ascii(told) for told in caplog.messages if not told.isprintable()] == []


@override_settings(GUARDIAN_PUBLIC_READ=True)
def test_a_target_sees_a_fault() -> None:
    key, secret = issue_key(name="k")
    with pytest.raises(AssertionError, match="somebody got in"):
        TARGETS["signed_headers"](f"X-Api-Key: {secret}".encode())
    with pytest.raises(AssertionError):
        TARGETS["oauth_form"](
            f"\ngrant_type=client_credentials&client_id={key.prefix}&client_secret={secret}".encode()
        )
