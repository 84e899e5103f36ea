"""The reports of one request, arranged by source and minute, waiting for their answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from detection import conf, metrics
from detection.clock import minute_of
from detection.selectors.counts import Row
from detection.selectors.declarations import Declarations
from detection.services.lockstep import Judged
from detection.services.verdicts import verdicts_of
from detection.services.watched import Watched
from ingest.assessment import Verdict
from ingest.reports import RecordedReport, SourceRef


class SourceMinute(Struct, gc=False):
    """The reports of one source and minute."""

    source: SourceRef
    minute: int
    places: list[int]
    reports: list[RecordedReport]

    @property
    def counts(self) -> list[Row]:
        """The counts of the minute after the last of the reports."""
        return self.reports[-1].minute_counts

    @property
    def is_changed(self) -> bool:
        """Whether these reports moved the counts, so that no earlier verdict holds for them."""
        return any(report.changed for report in self.reports)


@dataclass(slots=True)
class Group:
    """Reports that are judged together."""

    now: datetime
    complete: bool
    brief: bool
    declared: Declarations
    minutes: dict[tuple[int, int], SourceMinute]
    known: dict[int, Watched]
    answers: list[Verdict | None]
    # Minutes that a source which is replayed may go on by; few where it is one of many.
    longest_step: int = field(init=False)

    def __post_init__(self) -> None:
        few = self.complete and len(self.known) <= conf.PLACES
        self.longest_step = conf.BATCH_MINUTES if few else conf.REPORT_MINUTES

    def answer(self, one: SourceMinute, verdicts: Sequence[Verdict]) -> None:
        """Put the verdicts of one source minute where its reports stood."""
        for place, verdict in zip(one.places, verdicts, strict=True):
            self.answers[place] = verdict
        # While a source is learned its score says nothing, and thousands may be learned at once.
        if not verdicts[0].learning:
            metrics.SCORES.observe(max([verdict.anomaly_score for verdict in verdicts]))

    def answered(self) -> list[Verdict]:
        """All verdicts, in the order of the reports; counted."""
        verdicts = [one for one in self.answers if one is not None]
        for level, times in Counter([verdict.alert_level for verdict in verdicts]).items():
            metrics.VERDICTS.labels(level).inc(times)
        return verdicts

    def answer_judged(self, one: SourceMinute, judged: Judged, row: int, *, whole: bool) -> None:
        """Answer one source minute from its judgement."""
        verdicts = verdicts_of(judged, row, one.reports, whole=whole, brief=self.brief)
        self.answer(one, verdicts)


def arranged(reports: Sequence[RecordedReport]) -> dict[tuple[int, int], SourceMinute]:
    """The reports by source and minute, in the order in which the minutes first appear."""
    minutes: dict[tuple[int, int], SourceMinute] = {}
    numbers: dict[datetime, int] = {}
    for place, report in enumerate(reports):
        number = numbers.get(report.minute)
        if number is None:
            number = numbers[report.minute] = minute_of(report.minute)
        key = (report.source.id, number)
        one = minutes.get(key)
        if one is None:
            minutes[key] = SourceMinute(report.source, number, [place], [report])
        else:
            one.places.append(place)
            one.reports.append(report)
    return minutes
