from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator


@pytest.fixture(scope="module")
def paths() -> Any:
    generator: Any = SchemaGenerator
    return generator(urlconf="ingest.tests.doors").get_schema(public=True)["paths"]


def test_every_door_is_described(paths: Any) -> None:
    assert set(paths) == {"/transaction", "/transactions/batch", "/cache/stats", "/cache/flush"}


@pytest.mark.parametrize("path", ["/transaction", "/transactions/batch"])
def test_every_refusal_is_described(paths: Any, path: str) -> None:
    told = paths[path]["post"]["responses"]
    assert set(told) == {"200", "400", "401", "403", "406", "413", "415", "429", "503"}


def test_a_report_is_described_as_it_is_read(paths: Any) -> None:
    sent = paths["/transaction"]["post"]["requestBody"]["content"]
    assert set(sent) == {"application/json"}
    assert set(sent["application/json"]["examples"]) == {"TheApprovalsOfAMinute", "OneTransaction"}
