"""Failures and how they were handled; messages and whether they arrived."""

from deploy.grafana.frame import Sheet
from deploy.grafana.look import (
    AMBER,
    ANY_IS_BAD,
    GREEN,
    INCIDENT_LINK,
    INCIDENTS_LINK,
    LEVEL_COLOURS,
    RED,
    Look,
)
from deploy.grafana.messages import MESSAGES
from deploy.grafana.panels import lines, listing, number, pie, spans
from deploy.grafana.queries import now, rows, series

FROM_SOURCE = "source ~ '^(${source:regex})$'"
# One failure is counted once: not its parts, and not what turned out to be none.
COUNTED = f"$__timeFilter(onset) AND counts AND {FROM_SOURCE}"
FAMILY_COLOURS = {
    "decline": "#EAB308",
    "technical_failure": "red",
    "reversal": "purple",
    "volume_low": "blue",
    "volume_high": "#56A64B",
    "silence": "#8E8E8E",
    "code_mix": "orange",
}


def count(where: str = "true") -> str:
    """Return how many failures began in the time range."""
    return f"SELECT count(*) AS value FROM reporting.incidents WHERE {COUNTED} AND {where}"


def mean(seconds: str) -> str:
    """Return the mean of a time between two stamps of the failures of the time range [s]."""
    return f"SELECT avg({seconds}) AS value FROM reporting.incidents WHERE {COUNTED}"


BETWEEN = f"""
    SELECT avg(extract(epoch FROM onset - before)) AS value
    FROM (
      SELECT onset, lag(ended) OVER (PARTITION BY source, family ORDER BY onset) AS before
      FROM reporting.incidents WHERE {COUNTED}
    ) AS failure
    WHERE before IS NOT NULL AND onset >= before
"""

NUMBERS = (
    number("Incidents", "Failures that began in the time range.", rows(count()), Look(decimals=0)),
    number(
        "CRITICAL",
        "Of them, those that called somebody at once.",
        rows(count("level = 'CRITICAL'")),
        Look(decimals=0, steps=ANY_IS_BAD),
    ),
    number(
        "WARNING",
        "Of them, those that could wait for the day.",
        rows(count("level = 'WARNING'")),
        Look(decimals=0, steps=((None, GREEN), (1, AMBER))),
    ),
    number(
        "Active incidents",
        "Ongoing now, of all sources and families.",
        now("sum(max by (level, family) (guardian_alerts_incidents_open))"),
        Look(decimals=0, steps=ANY_IS_BAD, link=INCIDENTS_LINK),
    ),
    number(
        "False positives",
        "Share of the labelled incidents of the time range that were none.",
        rows(f"""
            SELECT avg((label = 'false_positive')::int) AS value FROM reporting.incidents
            WHERE $__timeFilter(onset) AND label <> '' AND NOT part AND {FROM_SOURCE}
        """),
        Look("percentunit", 0, ((None, GREEN), (0.1, AMBER), (0.3, RED))),
    ),
    number(
        "Time in failure",
        "Of all sources together, failures that go on included.",
        rows(f"""
            SELECT coalesce(sum(extract(epoch FROM coalesce(ended, now()) - onset)), 0) AS value
            FROM reporting.incidents WHERE {COUNTED}
        """),
        Look("s", 0),
    ),
)

MEANS = (
    number(
        "MTTD",
        "Mean time from the onset of a failure to its detection.",
        rows(mean("extract(epoch FROM detected - onset)")),
        Look("s", 0, ((None, GREEN), (300, AMBER), (900, RED))),
        width=6,
    ),
    number(
        "MTTA",
        "Mean time from opening to the first acknowledgement. The past is left out.",
        rows(mean("extract(epoch FROM acknowledged - opened)") + " AND NOT historical"),
        Look("s", 0, ((None, GREEN), (300, AMBER), (900, RED))),
        width=6,
    ),
    number(
        "MTTR",
        "Mean time from the onset of a failure to its end.",
        rows(mean("extract(epoch FROM ended - onset)")),
        Look("s", 0, ((None, GREEN), (1800, AMBER), (7200, RED))),
        width=6,
    ),
    number(
        "MTBF",
        "Mean time from the end of a failure to the next of the same source and family.",
        rows(BETWEEN),
        Look("s", 0, ((None, RED), (3600, AMBER), (86400, GREEN))),
        width=6,
    ),
)

COURSE = (
    spans(
        "Timeline of incidents",
        "One row for each source and family; red is critical.",
        series(f"""
            SELECT moment AS time, source || ' ' || family AS metric, state AS value FROM (
              SELECT onset AS moment, source, family,
                     CASE level WHEN 'CRITICAL' THEN 2 ELSE 1 END AS state
              FROM reporting.incidents WHERE {COUNTED}
              UNION ALL
              SELECT coalesce(ended, now()), source, family, 0
              FROM reporting.incidents WHERE {COUNTED}
            ) AS change ORDER BY moment
        """),
        {"0": ("normal", GREEN), "1": ("WARNING", AMBER), "2": ("CRITICAL", RED)},
    ),
    lines(
        "Incidents by day",
        "By the day of their onset.",
        [
            series(f"""
                SELECT $__timeGroup(onset, '1d') AS time, level AS metric, count(*) AS value
                FROM reporting.incidents WHERE {COUNTED}
                GROUP BY 1, 2 ORDER BY 1
            """)
        ],
        Look(decimals=0, low=0),
        width=10,
        stacked=True,
        as_bars=True,
        colours=LEVEL_COLOURS,
    ),
    pie(
        "Incidents by family",
        "What kind of failure.",
        rows(f"""
            SELECT family, count(*) AS value FROM reporting.incidents WHERE {COUNTED}
            GROUP BY family ORDER BY value DESC
        """),
        FAMILY_COLOURS,
        width=7,
    ),
    pie(
        "Incidents by level",
        "How many of each level began in the time range.",
        rows(f"""
            SELECT level, count(*) AS value FROM reporting.incidents WHERE {COUNTED}
            GROUP BY level ORDER BY value DESC
        """),
        LEVEL_COLOURS,
        width=7,
    ),
    lines(
        "Anomalies by level",
        "Judged minutes that were not normal, a row each for source and family.",
        [
            series(f"""
                SELECT $__timeGroup(time, $__interval) AS time, level AS metric, count(*) AS value
                FROM reporting.anomalies WHERE $__timeFilter(time) AND {FROM_SOURCE}
                GROUP BY 1, 2 ORDER BY 1
            """)
        ],
        Look(decimals=0, low=0),
        stacked=True,
        as_bars=True,
        colours=LEVEL_COLOURS,
    ),
    lines(
        "Anomalies by family",
        "The same, by the kind of failure.",
        [
            series(f"""
                SELECT $__timeGroup(time, $__interval) AS time, family AS metric, count(*) AS value
                FROM reporting.anomalies WHERE $__timeFilter(time) AND {FROM_SOURCE}
                GROUP BY 1, 2 ORDER BY 1
            """)
        ],
        Look(decimals=0, low=0),
        stacked=True,
        as_bars=True,
        colours=FAMILY_COLOURS,
    ),
    listing(
        "Incidents of the time range",
        "Click a number to open the incident.",
        rows(f"""
            SELECT id, level, family, source, state, label, onset,
                   extract(epoch FROM coalesce(ended, now()) - onset) AS lasted,
                   extract(epoch FROM acknowledged - opened) AS acknowledged_after,
                   acknowledged_by, round(excess) AS out_of_place
            FROM reporting.incidents
            WHERE $__timeFilter(onset) AND NOT part AND {FROM_SOURCE}
            ORDER BY onset DESC LIMIT 200
        """),
        width=24,
        height=10,
        links={"id": INCIDENT_LINK},
        units={"lasted": "s", "acknowledged_after": "s"},
        colours={"level": LEVEL_COLOURS},
    ),
)

SHEET = Sheet(
    uid="guardian-incidents",
    title="Alerts & incidents",
    why="Failures and how they were handled; messages and whether they arrived.",
    since="now-7d",
    variables=("source",),
    rows=(
        ("In the time range", NUMBERS),
        ("Mean times", MEANS),
        ("Course", COURSE),
        ("Messages", MESSAGES),
    ),
)
