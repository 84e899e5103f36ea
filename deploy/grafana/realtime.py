"""What goes on now: seen against expected, by status and source."""

from deploy.grafana.frame import Sheet
from deploy.grafana.look import (
    AMBER,
    ANY_IS_BAD,
    GREEN,
    INCIDENT_LINK,
    INCIDENTS_LINK,
    LEVEL_COLOURS,
    RED,
    SOURCE_LINK,
    STATUS_COLOURS,
    Look,
)
from deploy.grafana.panels import bars, dial, lines, listing, number, pie
from deploy.grafana.queries import now, over_time, rows

# Rows of the database, told by every web process alike: the greatest is each of them.
_EACH = """max by (source, status) (
    guardian_detection_{kind}_transactions{{source=~"${{source:regex}}",status{match}}}
)"""


def minute(kind: str, match: str = '="all"') -> str:
    """Return the newest judged minute: `seen`, `expected`, `lower` or `upper`, of each source."""
    return _EACH.format(kind=kind, match=match)


APPROVAL = f"""
    sum(sum_over_time({minute("seen", '="approved"')}[1h:1m]))
    / sum(sum_over_time({minute("seen")}[1h:1m]))
"""

NOW = (
    number(
        "Transactions a minute",
        "Of the newest judged minute, all statuses.",
        now(f"sum({minute('seen')})"),
        Look(decimals=0),
    ),
    number(
        "Expected a minute",
        "What is normal for these sources at this time of the week.",
        now(f"sum({minute('expected')})"),
        Look(decimals=0),
    ),
    number(
        "Against expectation",
        "Seen less expected, as a share of what was expected. A third too few is grave.",
        now(f"sum({minute('seen')}) / sum({minute('expected')} > 0) - 1"),
        Look(
            "percentunit",
            0,
            ((None, RED), (-0.33, AMBER), (-0.15, GREEN), (0.5, AMBER), (1.0, RED)),
        ),
    ),
    dial(
        "Approval rate, last hour",
        "Approved transactions of all transactions; not of calls.",
        now(APPROVAL),
        Look("percentunit", 1, ((None, RED), (0.8, AMBER), (0.9, GREEN)), low=0, high=1),
    ),
    number(
        "Open incidents",
        "Ongoing, of all sources. One failure is one incident.",
        now("sum(max by (level, family) (guardian_alerts_incidents_open))"),
        Look(decimals=0, steps=ANY_IS_BAD, link=INCIDENTS_LINK),
    ),
    number(
        "Anomalous minutes, last hour",
        "Judged minutes of these sources that were not normal.",
        rows("""
            SELECT count(DISTINCT (source, time)) AS value FROM reporting.anomalies
            WHERE time > now() - interval '1 hour' AND source ~ '^(${source:regex})$'
        """),
        Look(decimals=0, steps=((None, GREEN), (1, AMBER), (10, RED))),
    ),
)

COURSE = (
    lines(
        "Volume: seen against expected",
        "The shade is what is normal; a page is sent for what leaves it for long enough.",
        [
            over_time(f"sum({minute('seen')})", "seen"),
            over_time(f"sum({minute('expected')})", "expected"),
            over_time(f"sum({minute('lower')})", "lower"),
            over_time(f"sum({minute('upper')})", "upper"),
        ],
        Look(decimals=0, low=0),
        width=16,
        band=True,
    ),
    pie(
        "Distribution by status",
        "Transactions of the time range.",
        rows("""
            SELECT status, sum(transactions) AS value FROM reporting.minutes
            WHERE $__timeFilter(time) AND source ~ '^(${source:regex})$'
              AND status ~ '^(${status:regex})$'
            GROUP BY status ORDER BY value DESC
        """),
        STATUS_COLOURS,
        width=8,
    ),
    lines(
        "Transactions by status",
        "Seen in each judged minute.",
        [
            over_time(
                "sum by (status) (" + minute("seen", '=~"${status:regex}",status!="all"') + ")",
                "{{status}}",
            )
        ],
        Look(decimals=0, low=0),
        stacked=True,
        colours=STATUS_COLOURS,
    ),
    lines(
        "Away from normal, by status",
        "Seen less expected; 0 is normal. What goes wrong usually shows here first.",
        [
            over_time(
                "sum by (status) ("
                + minute("seen", '=~"${status:regex}",status!="all"')
                + " - "
                + minute("expected", '=~"${status:regex}",status!="all"')
                + ")",
                "{{status}}",
            )
        ],
        Look(decimals=1),
        colours=STATUS_COLOURS,
    ),
)

SOURCES = (
    bars(
        "Against expectation, by source",
        "The ten sources that are furthest below what is normal.",
        now(f"bottomk(10, {minute('seen')} / ({minute('expected')} > 0) - 1)", "{{source}}"),
        Look(
            "percentunit",
            0,
            ((None, RED), (-0.33, AMBER), (-0.15, GREEN)),
            link=SOURCE_LINK,
            low=-1,
            high=1,
        ),
    ),
    bars(
        "Time since the last report",
        "Of the ten sources that have been silent the longest.",
        now(
            "topk(10, max by (source) ("
            'guardian_ingest_source_silent_seconds{source=~"${source:regex}"}))',
            "{{source}}",
        ),
        Look("s", 0, ((None, GREEN), (300, AMBER), (1800, RED)), link=SOURCE_LINK, low=0),
    ),
    lines(
        "Verdicts a minute",
        "Answers to reports, by level; of all sources.",
        [over_time("guardian:verdicts:rate5m * 60", "{{level}}")],
        Look(decimals=1, low=0),
        width=8,
        stacked=True,
        colours=LEVEL_COLOURS,
    ),
    listing(
        "Ongoing incidents",
        "Click a number to open the incident.",
        rows("""
            SELECT id, level, family, source, state, onset,
                   extract(epoch FROM now() - onset) AS lasting, round(excess) AS out_of_place
            FROM reporting.incidents
            WHERE resolved IS NULL AND NOT historical AND source ~ '^(${source:regex})$'
            ORDER BY level, onset LIMIT 50
        """),
        width=24,
        links={"id": INCIDENT_LINK},
        units={"lasting": "s"},
        colours={"level": LEVEL_COLOURS},
    ),
)

SHEET = Sheet(
    uid="guardian-realtime",
    title="Real-time",
    why="What goes on now: seen against expected, by status and source.",
    since="now-1h",
    refresh="15s",
    variables=("source", "status"),
    rows=(("Now", NOW), ("The last hour", COURSE), ("Sources and incidents", SOURCES)),
)
