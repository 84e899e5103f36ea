"""Whoever comes by a method that a door does not know is told which it knows."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "/transaction", "GET is not possible here; use POST."),
        ("PUT", "/transactions/batch", "PUT is not possible here; use POST."),
        ("POST", "/anomalies", "POST is not possible here; use GET."),
        ("PATCH", "/auth/api-keys", "PATCH is not possible here; use GET or POST."),
    ],
)
def test_the_answer_names_what_is_possible(
    method: str, path: str, told: str, client: Client
) -> None:
    answer = client.generic(method, path)
    assert answer.status_code == 405
    assert answer.json() == {"detail": told}
    assert answer.headers["Allow"] == told.partition("use ")[2].strip(".").replace(" or ", ", ")
