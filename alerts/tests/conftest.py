from collections.abc import Iterator

import pytest

from alerts.tests.standin import StandIn, stand_in


@pytest.fixture
def vendor() -> Iterator[StandIn]:
    with stand_in() as found:
        yield found
