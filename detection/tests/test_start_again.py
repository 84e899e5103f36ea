import pytest

from detection.models import Baseline
from detection.services.watch import Watch
from detection.services.watched import NEVER
from ingest.models import Source

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("blob", [b"", b"not a state", b"\x00" * 400])
def test_a_state_that_cannot_be_read_is_learned_again(blob: bytes) -> None:
    source = Source.objects.create(name="old")
    Baseline.objects.create(source=source, state=blob, version=7)
    known = Watch().get([source.pk])[source.pk]
    assert (known.through, known.version) == (NEVER, 7)
