"""Every test of the site begins in a process that remembers nothing of the one before."""

import pytest
from django.core.cache import cache

from detection.services.watch import watch
from ingest.services import forget_keys, forget_sources


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    forget_keys()
    forget_sources()
    watch.forget()
    cache.clear()
