"""The limits of detection, each with its reason and its unit."""

from datetime import timedelta

from django.conf import settings

from detection.episodes import Patience

MINUTE = timedelta(minutes=1)
# Quiet minutes that end an incident, unless the rules of the alerts say otherwise.
QUIET_MINUTES = 5


def grace() -> timedelta:
    """How long after its end a minute may still fill before it is judged as complete."""
    return timedelta(seconds=settings.GUARDIAN_GRACE_SECONDS)


def past_limit() -> timedelta:
    """Nobody is called for a minute that is older than this when it is judged."""
    return timedelta(minutes=getattr(settings, "GUARDIAN_PAST_MINUTES", 15))


def patience() -> Patience:
    """When people hear of a warning that does not become critical."""
    rules = getattr(settings, "GUARDIAN_ALERT_RULES", {})
    wait = rules.get("settle_minutes", settings.GUARDIAN_WARNING_WAIT_MINUTES)
    return Patience(wait=int(wait), quiet=int(rules.get("quiet_minutes", QUIET_MINUTES)))


# A source that reported nothing for this long is watched again when it reports again; until then
# its minutes are not judged, or one import of old files would raise a year of silence.
LONGEST_GAP = timedelta(hours=24)
# Late data change the verdicts of at most this much of the past; older counts are kept and shown.
CHECKPOINTS_KEPT = timedelta(hours=48)
CHECKPOINT_MINUTES = 60
# The clocks of several workers differ by less. A source that was judged further ahead than this was
# judged by a clock that was wrong.
AHEAD = timedelta(minutes=3)
# How much of its history such a source learns again where no checkpoint from before is left.
LEARNED_AGAIN = timedelta(days=14)
# A report may be written just before its minute closes and committed just after. The sweep waits
# this much longer than the grace: it then sees every report, or its mark as a late one.
SETTLING = timedelta(seconds=5)
# An hour that changed late is looked at for this long at most: by then whoever was judging it while
# it changed has finished.
RECHECK_AGE = timedelta(minutes=10)
# So many changed hours before the oldest checkpoint are an import of history, worth judging all of
# it again, once no more has come for a moment; fewer are stragglers and only counted.
BACKFILL_HOURS = 6
BACKFILL_QUIET = timedelta(seconds=30)
# A process trusts what it knows of a source for this long before it asks for the version, unless a
# recorded report brought it; what people declared is read again after as long [seconds].
FRESH_SECONDS = 2.0
# During an incident every report finds the same again in a minute that is still filling. It is
# stored again only after so long, or at another level [seconds].
STORE_AGAIN_SECONDS = 1.0
# The sweep leaves a source alone for this long after a client moved it minute by minute.
REPLAY_QUIET = timedelta(seconds=30)
# Sources advanced together: enough to be vectorised, few enough to be held in memory.
CHUNK = 500
# Sources read into memory at once by a sweep: of a hundred thousand, reading all before the first
# is judged would take all the time there is.
SWEPT_TOGETHER = 5_000
# Minutes read and judged in one go; bounds the memory of a sweep over a long backlog.
SLICE_MINUTES = 360
# A sweep stops after this long and goes on at the next beat, so that live sources never wait for
# an import [seconds].
SWEEP_SECONDS = 8.0
# A request that brings more unjudged minutes than this leaves the rest to the sweep.
REQUEST_MINUTES = 3000
# How many unjudged minutes one request may judge: so many for each minute of a source that it
# brings, and in any case so many for a batch or for a report (a batch of more than PLACES sources
# counts as a report). Each takes a millisecond, in which the process answers nobody else.
MINUTES_BETWEEN = 6
BATCH_MINUTES = 720
REPORT_MINUTES = 60
# Sources whose frontiers differ cannot be judged together. With more frontiers than PLACES a
# request advances only the nearest sources, by PLACES_MINUTES in all.
PLACES = 8
PLACES_MINUTES = 120
# The sweep is through with a minute of a live source this long after the minute could still fill.
SWEPT_WITHIN = timedelta(seconds=160)


def replay_age() -> timedelta:
    """The age from which an unjudged minute is taken for one of a client that replays the past.

    Its minutes are judged in order, in the client's own requests.
    """
    return SWEPT_WITHIN + grace()


# A worker that runs a backtest gives a sign of life this often, and is taken for dead after so long
# without one: longer than it takes to judge the largest slice of counts or to draw the report.
BACKTEST_BEAT = timedelta(seconds=15)
BACKTEST_LOST = timedelta(minutes=5)
# A backtest that has killed so many workers is not tried again.
BACKTEST_ATTEMPTS = 3
