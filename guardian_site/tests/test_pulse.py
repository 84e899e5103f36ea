"""The heart of a worker goes on, whatever befalls the database."""

import threading
from datetime import datetime

import pytest
from django.db import InterfaceError, OperationalError

from guardian_site import pulse


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError])
def test_a_fault_is_not_the_end(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[datetime] = []
    again = threading.Event()

    def record(*, part: str, kind: str, now: datetime) -> None:
        assert (part, kind) == ("worker@here:1", "worker")
        beats.append(now)
        if len(beats) == 1:
            raise fault("the connection is closed")
        again.set()

    monkeypatch.setattr(pulse, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(pulse, "record_heartbeat", record)
    monkeypatch.setattr(pulse, "close_old_connections", lambda: None)
    stop = threading.Event()
    thread = threading.Thread(target=pulse._beat_for_ever, args=("worker@here:1", "worker", stop))
    thread.start()
    try:
        assert again.wait(10)
    finally:
        stop.set()
        thread.join()
