"""Whatever is sent in whatever order, a MinuteCount is the sum of what stands at last."""

from collections.abc import Iterable

from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ingest.reports import NewReport
from ingest.services import forget_sources
from ingest.tests.makers import MinuteSums, counts_of_rows, make_report, minute_counts, record

Call = list[tuple[int, str, float, str, str, str, bool]]

rows = st.tuples(
    st.integers(0, 4),
    st.sampled_from(("approved", "denied")),
    st.sampled_from((0.0, 30.0, 60.0, 3600.0)),
    st.sampled_from(("00", "51")),
    st.sampled_from(("a", "b")),
    st.sampled_from(("", "", "t1", "t2")),
    st.booleans(),
)
calls = st.lists(st.lists(rows, max_size=6), max_size=6)


def made(call: Call) -> list[NewReport]:
    return [
        make_report(
            count, status, seconds=at, code=code, name=name, external_id=external_id, timed=timed
        )
        for count, status, at, code, name, external_id, timed in call
    ]


def model_of(sent: Iterable[NewReport]) -> MinuteSums:
    """Return the counts by an obvious model: a dict of reports and a dict of transactions."""
    reports: MinuteSums = {}
    transactions: dict[tuple[str, str], NewReport] = {}
    for one in sent:
        key = (one.source.name, one.timestamp, one.status, one.auth_code)
        id_key = (one.source.name, one.external_id)
        if one.external_id:
            known = transactions.get(id_key)
            moment = one.timestamp if one.timed or known is None else known.timestamp
            transactions[id_key] = NewReport(
                one.source, moment, one.status, one.auth_code, one.count, one.external_id
            )
        elif one.timed:
            reports[key] = one.count
        else:
            reports[key] = reports.get(key, 0) + one.count
    placed = [(*key, count) for key, count in reports.items()]
    placed += [
        (one.source.name, one.timestamp, one.status, one.auth_code, one.count)
        for one in transactions.values()
    ]
    sums: MinuteSums = {}
    for name, moment, status, code, count in placed:
        minute = moment.replace(second=0)
        sums[name, minute, status, code] = sums.get((name, minute, status, code), 0) + count
    return {key: count for key, count in sums.items() if count}


class KeepingCountsTrue(TestCase):
    @given(calls)
    @settings(max_examples=60, deadline=None, derandomize=True)
    def test_counts_are_the_sum_of_what_was_sent_last(self, sent: list[Call]) -> None:
        forget_sources()
        with transaction.atomic():
            reports = [made(call) for call in sent]
            for call in reports:
                record(*call)
        assert minute_counts() == counts_of_rows()
        assert minute_counts() == model_of(one for call in reports for one in call)
