"""One look for whoever is responsible for payments: a traffic light, and figures of two periods."""

from deploy.grafana.frame import Sheet
from deploy.grafana.incidents import COUNTED, FROM_SOURCE
from deploy.grafana.look import (
    AMBER,
    ANY_IS_BAD,
    GREEN,
    INCIDENT_LINK,
    INCIDENTS_LINK,
    LEVEL_COLOURS,
    RED,
    STATUS_COLOURS,
    Look,
)
from deploy.grafana.panels import dial, lines, listing, number, pie
from deploy.grafana.queries import now, rows, series
from deploy.grafana.realtime import minute

OPEN = 'sum(max by (level, family) (guardian_alerts_incidents_open{{level="{level}"}}))'
CRITICAL, WARNING = OPEN.format(level="CRITICAL"), OPEN.format(level="WARNING")
# 2 green, 1 amber, 0 red. Guardian away is red: then nobody knows how payments are.
LIGHT = f"""
    clamp_min(
      2 * (guardian:up == bool 1)
      - on () (2 * ((({CRITICAL}) > bool 0) or vector(0)))
      - on () ((({WARNING}) > bool 0) or vector(0)),
      0)
"""
IN_RANGE = f"$__timeFilter(time) AND {FROM_SOURCE}"
LENGTH = "($__timeTo()::timestamptz - $__timeFrom()::timestamptz)"
# Both periods at once, told apart by `this`.
TWO_PERIODS = f"""
    SELECT time >= $__timeFrom()::timestamptz AS this, sum(transactions) AS total,
           sum(transactions) FILTER (WHERE status = 'approved') AS approved
    FROM reporting.minutes
    WHERE time >= $__timeFrom()::timestamptz - {LENGTH} AND time < $__timeTo()::timestamptz
      AND {FROM_SOURCE}
    GROUP BY 1
"""
RATE = f"""
    SELECT sum(transactions) FILTER (WHERE status = 'approved') / nullif(sum(transactions), 0)
           AS value
    FROM reporting.minutes WHERE {IN_RANGE}
"""


def _total(where: str) -> str:
    return f"coalesce(sum(total) FILTER (WHERE {where}), 0)"


def _rate(where: str) -> str:
    return f"sum(approved) FILTER (WHERE {where}) / nullif(sum(total) FILTER (WHERE {where}), 0)"


FIRST = (
    number(
        "Payments right now",
        "Red: a critical incident is open, or Guardian itself is away. Amber: a warning is open.",
        now(LIGHT),
        Look(
            words={"0": ("CRITICAL", RED), "1": ("WARNING", AMBER), "2": ("NORMAL", GREEN)},
            steps=((None, RED), (1, AMBER), (2, GREEN)),
            link=INCIDENTS_LINK,
        ),
        width=6,
        height=6,
    ),
    number(
        "Transactions",
        "Of the time range, all statuses.",
        rows(f"SELECT sum(transactions) AS value FROM reporting.minutes WHERE {IN_RANGE}"),
        Look(decimals=1),
        height=6,
    ),
    dial(
        "Approval rate",
        "Approved transactions of all transactions of the time range.",
        rows(RATE),
        Look("percentunit", 1, ((None, RED), (0.8, AMBER), (0.9, GREEN)), low=0, high=1),
        width=5,
        height=6,
    ),
    number(
        "Goal of the period",
        "Whether the approval rate has reached the goal set above.",
        rows(f"SELECT (rate.value >= $goal / 100.0)::int AS value FROM ({RATE}) AS rate"),
        Look(words={"0": ("BELOW", RED), "1": ("REACHED", GREEN)}, steps=((None, RED), (1, GREEN))),
        width=5,
        height=6,
    ),
    number(
        "Transactions a minute",
        "Of the newest judged minute.",
        now(f"sum({minute('seen')})"),
        Look(decimals=0),
        height=6,
    ),
)

HARM = (
    number(
        "Incidents",
        "Failures that began in the time range.",
        rows(f"SELECT count(*) AS value FROM reporting.incidents WHERE {COUNTED}"),
        Look(decimals=0, steps=((None, GREEN), (1, AMBER), (5, RED)), link=INCIDENTS_LINK),
        width=6,
    ),
    number(
        "Time in failure",
        "Of all sources together.",
        rows(f"""
            SELECT coalesce(sum(extract(epoch FROM coalesce(ended, now()) - onset)), 0) AS value
            FROM reporting.incidents WHERE {COUNTED}
        """),
        Look("s", 0, ((None, GREEN), (1800, AMBER), (7200, RED))),
        width=6,
    ),
    number(
        "Transactions out of place",
        "More or fewer than normal in all failures of the time range, an estimate.",
        rows(f"""
            SELECT coalesce(sum(abs(excess)), 0) AS value FROM reporting.incidents
            WHERE {COUNTED}
        """),
        Look(decimals=0, steps=((None, GREEN), (1000, AMBER), (10000, RED))),
        width=6,
    ),
    number(
        "Mean time to repair",
        "From the onset of a failure to its end.",
        rows(f"""
            SELECT avg(extract(epoch FROM ended - onset)) AS value
            FROM reporting.incidents WHERE {COUNTED}
        """),
        Look("s", 0, ((None, GREEN), (1800, AMBER), (7200, RED))),
        width=6,
    ),
)

OVERVIEW = (
    lines(
        "Volume",
        "Transactions an hour, and those of the period before at the same place.",
        [
            series(f"""
                SELECT date_trunc('hour', time) AS time, 'this period' AS metric,
                       sum(transactions) AS value
                FROM reporting.minutes WHERE {IN_RANGE} GROUP BY 1 ORDER BY 1
            """),
            series(f"""
                SELECT date_trunc('hour', time + {LENGTH}) AS time, 'period before' AS metric,
                       sum(transactions) AS value
                FROM reporting.minutes
                WHERE time >= $__timeFrom()::timestamptz - {LENGTH}
                  AND time < $__timeFrom()::timestamptz AND {FROM_SOURCE}
                GROUP BY 1 ORDER BY 1
            """),
        ],
        Look(decimals=0, low=0),
        width=16,
        colours={"this period": "blue", "period before": "#8E8E8E"},
    ),
    pie(
        "Distribution by status",
        "Transactions of the time range.",
        rows(f"""
            SELECT status, sum(transactions) AS value FROM reporting.minutes
            WHERE {IN_RANGE} GROUP BY status ORDER BY value DESC
        """),
        STATUS_COLOURS,
        width=8,
    ),
)

COMPARED = (
    number(
        "Change of volume",
        "Against the period before.",
        rows(f"""
            SELECT {_total("this")} / nullif({_total("NOT this")}, 0) - 1 AS value
            FROM ({TWO_PERIODS}) AS period
        """),
        Look("percentunit", 1, ((None, RED), (-0.2, AMBER), (-0.05, GREEN))),
        width=6,
    ),
    number(
        "Change of approval",
        "Against the period before, in points of the rate.",
        rows(f"""
            SELECT ({_rate("this")}) - ({_rate("NOT this")}) AS value
            FROM ({TWO_PERIODS}) AS period
        """),
        Look("percentunit", 2, ((None, RED), (-0.01, AMBER), (-0.002, GREEN))),
        width=6,
    ),
    number(
        "Change of anomalies",
        "Anomalous minutes against the period before.",
        rows(f"""
            SELECT count(*) FILTER (WHERE time >= $__timeFrom()::timestamptz)
                   - count(*) FILTER (WHERE time < $__timeFrom()::timestamptz) AS value
            FROM reporting.anomalies
            WHERE time >= $__timeFrom()::timestamptz - {LENGTH}
              AND time < $__timeTo()::timestamptz AND {FROM_SOURCE}
        """),
        Look(decimals=0, steps=((None, GREEN), (1, AMBER), (60, RED))),
        width=6,
    ),
    number(
        "Change of incidents",
        "Failures against the period before.",
        rows(f"""
            SELECT count(*) FILTER (WHERE onset >= $__timeFrom()::timestamptz)
                   - count(*) FILTER (WHERE onset < $__timeFrom()::timestamptz) AS value
            FROM reporting.incidents
            WHERE onset >= $__timeFrom()::timestamptz - {LENGTH}
              AND onset < $__timeTo()::timestamptz AND counts AND {FROM_SOURCE}
        """),
        Look(decimals=0, steps=((None, GREEN), *ANY_IS_BAD[1:])),
        width=6,
    ),
    listing(
        "The gravest failures",
        "Of the time range, by what they cost. Click a number to open the incident.",
        rows(f"""
            SELECT id, level, family, source, onset,
                   extract(epoch FROM coalesce(ended, now()) - onset) AS lasted,
                   round(abs(excess)) AS out_of_place
            FROM reporting.incidents WHERE {COUNTED}
            ORDER BY abs(excess) DESC NULLS LAST LIMIT 5
        """),
        width=24,
        height=6,
        links={"id": INCIDENT_LINK},
        units={"lasted": "s"},
        colours={"level": LEVEL_COLOURS},
    ),
)

SHEET = Sheet(
    uid="guardian-executive",
    title="Executive summary",
    why="One look for whoever answers for payments.",
    since="now-24h",
    variables=("source", "goal"),
    rows=(
        ("Key numbers", FIRST),
        ("What failures cost", HARM),
        ("Overview", OVERVIEW),
        ("Against the period before", COMPARED),
    ),
)
