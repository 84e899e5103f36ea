"""A source that goes on reporting while it is forgotten leaves nothing either."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from msgspec.structs import replace

from guardian_site.upkeep.forgetting import REPORTED, forget_source
from ingest.models import LateMark, Report, Source
from ingest.reports import NewReport
from ingest.tests.conftest import database, postgresql_config  # noqa: F401
from ingest.tests.makers import NOON, make_report, record

SENDERS = 3
MOST = 100_000


def report_until_refused(first: NewReport) -> int:
    """Report once a minute; return how often that went well."""
    try:
        for minute in range(MOST):
            one = replace(first, timestamp=first.timestamp + timedelta(minutes=minute))
            record(one, replace(one, external_id=f"{one.timestamp}"))
    except IntegrityError:
        return minute
    finally:
        connection.close()
    raise AssertionError("it was never refused")


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
@pytest.mark.usefixtures("database")
def test_nothing_is_left_of_it() -> None:
    reports = [make_report(name="busy", seconds=sender) for sender in range(SENDERS)]
    before = 10 * SENDERS
    with ThreadPoolExecutor(SENDERS) as senders:
        sending = [senders.submit(report_until_refused, report) for report in reports]
        while Report.objects.count() < before:
            pass
        forget_source(source=Source.objects.get(name="busy"), by="somebody", now=NOON)
    assert sum(one.result() for one in sending) >= before
    assert not Source.objects.exists()
    assert not any(model._default_manager.exists() for model in REPORTED)
    assert not LateMark.objects.exists()
