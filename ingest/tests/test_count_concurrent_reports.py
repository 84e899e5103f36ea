"""10,000 reports from 8 clients at once count like the same reports sent once, in order."""

import json
import random
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from ingest.models import LateMark, MinuteCount, Report, Source, Transaction
from ingest.services.answering import answer_batch, answer_report
from ingest.services.sources import forget_sources, resolve_sources
from ingest.tests.makers import NOON, MinuteSums, counts_of_rows, judge, minute_counts

CLIENTS, REPORTS = 8, 10_000
STATUSES = ("approved", "denied", "failed", "reversed", "backend_reversed", "refunded")
Body = dict[str, Any]


def make_bodies(random_: random.Random) -> list[Body]:
    """Return distinct reports and transactions of 60 minutes and 3 sources."""
    bodies = []
    for number in range(REPORTS):
        moment = NOON + timedelta(microseconds=360_000 * number)
        body: Body = {
            "timestamp": moment.isoformat(),
            "status": random_.choice(STATUSES),
            "auth_code": random_.choice(("00", "51", "59")),
            "count": random_.randrange(50),
            "source": random_.choice("abc"),
        }
        bodies.append({**body, "id": f"t{number}"} if number % 5 == 0 else body)
    return bodies


def send_in_order(bodies: Sequence[Body]) -> None:
    for start in range(0, len(bodies), 1000):
        body = json.dumps({"transactions": bodies[start : start + 1000]}).encode()
        answer_batch(body=body, holder=None, assess=judge)


class Clients:
    """Eight threads that each send all they are given: some one by one, some in batches."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def send(self, work: Sequence[Sequence[Body]]) -> None:
        threads = [threading.Thread(target=self._send, args=(bodies,)) for bodies in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, bodies: Sequence[Body]) -> None:
        try:
            half = len(bodies) // 2
            for body in bodies[:half]:
                answer_report(body=json.dumps(body).encode(), holder=None, assess=judge)
            for start in range(half, len(bodies), 100):
                sent = json.dumps({"transactions": bodies[start : start + 100]}).encode()
                answer_batch(body=sent, holder=None, assess=judge)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.close()


def with_duplicates_shuffled(bodies: Sequence[Body], random_: random.Random) -> list[list[Body]]:
    """Deal the reports to the clients out of order, every fifth to two or three of them."""
    again = random_.sample(bodies, len(bodies) // 5) + random_.sample(bodies, len(bodies) // 10)
    sent = [*bodies, *again]
    random_.shuffle(sent)
    return [sent[place::CLIENTS] for place in range(CLIENTS)]


def emptied() -> None:
    for model in (LateMark, MinuteCount, Report, Transaction, Source):
        model.objects.all()._raw_delete("default")
    forget_sources()


def in_order(bodies: Sequence[Body]) -> MinuteSums:
    send_in_order(bodies)
    counts = minute_counts()
    emptied()
    return counts


@pytest.mark.usefixtures("database")
def test_ten_thousand_reports_from_eight_clients_count_as_once_in_order(settings: Any) -> None:
    # Without the answer cache every duplicate goes to the database: the harder case.
    settings.GUARDIAN_CACHE_SECONDS = 0
    random_ = random.Random(20260304)
    bodies = make_bodies(random_)
    expected = in_order(bodies)
    clients = Clients()
    clients.send(with_duplicates_shuffled(bodies, random_))
    assert clients.errors == []
    assert minute_counts() == expected
    assert counts_of_rows() == expected
    assert Report.objects.count() + Transaction.objects.count() == REPORTS


@pytest.mark.usefixtures("database")
def test_clients_that_correct_the_same_keys_at_once_leave_counts_that_agree() -> None:
    bodies = [
        {
            "timestamp": (NOON + timedelta(seconds=second)).isoformat(),
            "status": status,
            "count": count,
            **({"id": f"t{second}"} if second % 2 else {}),
        }
        for second in range(10)
        for status in STATUSES[:3]
        for count in range(5)
    ]
    random_ = random.Random(5)
    clients = Clients()
    clients.send([random_.sample(bodies, len(bodies)) for _ in range(CLIENTS)])
    assert clients.errors == []
    assert minute_counts() == counts_of_rows()


@pytest.mark.usefixtures("database")
def test_more_clients_than_connections_do_not_stand_still() -> None:
    errors: list[BaseException] = []
    resolve_sources(names=[Source.DEFAULT])

    def send(number: int) -> None:
        try:
            for second in range(5):
                moment = NOON + timedelta(minutes=number, seconds=second)
                body = json.dumps({"timestamp": moment.isoformat(), "status": "approved"}).encode()
                if number % 2:  # comes with a connection, the others have to get one to lead
                    Source.objects.count()
                answer_report(body=body, holder=None, assess=judge)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Report.objects.count() == 120
