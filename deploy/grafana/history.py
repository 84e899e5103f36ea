"""How it was: day against day, the hours of the week, trends. All from the database."""

from deploy.grafana.frame import Sheet
from deploy.grafana.look import BLUE, STATUS_COLOURS, Look
from deploy.grafana.panels import columns, density, lines, listing, number
from deploy.grafana.queries import rows, series

SOURCES = "source ~ '^(${source:regex})$'"
STATUSES = "status ~ '^(${status:regex})$'"
CHOSEN = f"{SOURCES} AND {STATUSES}"
IN_RANGE = f"$__timeFilter(time) AND {CHOSEN}"
BEFORE = f"""
    time >= $__timeFrom()::timestamptz - ($__timeTo()::timestamptz - $__timeFrom()::timestamptz)
    AND time < $__timeFrom()::timestamptz AND {CHOSEN}
"""
PER_MINUTE = f"""
    SELECT time, sum(transactions) AS transactions FROM reporting.minutes
    WHERE {IN_RANGE} GROUP BY time
"""
LOCAL = "time AT TIME ZONE time_zone"
# A day that the time range cuts, or that is not over, would look like one with less traffic. From
# the first midnight of the range to the last, each source by its own clock; all have these days.
ON_WHOLE_DAYS = f"""
    FROM reporting.minutes, (
      SELECT max(date_trunc('day', $__timeFrom()::timestamptz AT TIME ZONE time_zone
                                   + interval '1 day' - interval '1 microsecond')) AS first,
             min(date_trunc('day', least($__timeTo()::timestamptz, now()) AT TIME ZONE time_zone))
               AS past
      FROM reporting.sources WHERE name ~ '^(${{source:regex}})$'
    ) AS whole
    WHERE $__timeFilter(time) AND {LOCAL} >= whole.first AND {LOCAL} < whole.past AND {SOURCES}
"""
TOTAL = "SELECT sum(transactions) AS total FROM reporting.minutes"
WEEKDAYS = "(ARRAY['Mon','Tue','Wed','Thu','Fri','Sat','Sun'])[isodow]"


def day_before(days: int, name: str) -> str:
    """Return the transactions of every quarter of an hour, so many days before, as of today."""
    return f"""
        SELECT $__timeGroup(time + interval '{days} days', '15m') AS time, '{name}' AS metric,
               sum(transactions) AS value
        FROM reporting.minutes
        WHERE time + interval '{days} days' >= $__timeTo()::timestamptz - interval '24 hours'
          AND time + interval '{days} days' < $__timeTo()::timestamptz AND {CHOSEN}
        GROUP BY 1 ORDER BY 1
    """


NUMBERS = (
    number(
        "Mean a minute",
        "Of the minutes in which anything was reported.",
        rows(f"SELECT avg(transactions) AS value FROM ({PER_MINUTE}) AS minute"),
        Look(decimals=1),
        width=6,
    ),
    number(
        "Highest minute",
        "Most transactions in one minute of the time range.",
        rows(f"SELECT max(transactions) AS value FROM ({PER_MINUTE}) AS minute"),
        Look(decimals=0),
        width=6,
    ),
    number(
        "Lowest minute",
        "Fewest in one minute; minutes without any report are left out.",
        rows(f"SELECT min(transactions) AS value FROM ({PER_MINUTE}) AS minute"),
        Look(decimals=0),
        width=6,
    ),
    number(
        "Change",
        "Against the period of the same length before this one.",
        rows(f"""
            SELECT this.total / nullif(before.total, 0) - 1 AS value
            FROM ({TOTAL} WHERE {IN_RANGE}) AS this, ({TOTAL} WHERE {BEFORE}) AS before
        """),
        Look("percentunit", 1),
        width=6,
    ),
)

DAYS = (
    lines(
        "Day over day",
        "The 24 hours before the end of the time range, the day before, and a week before.",
        [
            series(day_before(0, "this day")),
            series(day_before(1, "a day before")),
            series(day_before(7, "a week before")),
        ],
        Look(decimals=0, low=0),
        width=24,
        colours={"this day": "blue", "a day before": "#8E8E8E", "a week before": "#B877D9"},
    ),
    density(
        "Volume by hour of the day",
        "Darker is more; each column is a day, each row an hour of the source's own time zone.",
        series(f"""
            SELECT date_trunc('day', time AT TIME ZONE time_zone) AT TIME ZONE time_zone AS time,
                   to_char(time AT TIME ZONE time_zone, 'HH24') AS metric,
                   sum(transactions) AS value
            FROM reporting.minutes WHERE {IN_RANGE} GROUP BY 1, 2 ORDER BY 1, 2
        """),
        unit="short",
    ),
    columns(
        "A typical week",
        "Mean transactions of each weekday, of the whole days of the time range.",
        rows(f"""
            SELECT {WEEKDAYS} AS weekday, avg(total) AS transactions FROM (
              SELECT extract(isodow FROM {LOCAL})::int AS isodow, ({LOCAL})::date AS day,
                     sum(transactions) AS total
              {ON_WHOLE_DAYS} AND {STATUSES} GROUP BY 1, 2
            ) AS day GROUP BY isodow ORDER BY isodow
        """),
        Look(decimals=0, steps=((None, BLUE),), low=0),
    ),
)

TRENDS = (
    lines(
        "Trend",
        "Transactions of each whole day, and the mean of the seven days up to it.",
        [
            series(f"""
                SELECT day AS time, total AS "a day",
                       avg(total) OVER (ORDER BY day ROWS 6 PRECEDING) AS "seven days"
                FROM (
                  SELECT min(date_trunc('day', {LOCAL}) AT TIME ZONE time_zone) AS day,
                         sum(transactions) AS total
                  {ON_WHOLE_DAYS} AND {STATUSES} GROUP BY ({LOCAL})::date
                ) AS daily ORDER BY day
            """)
        ],
        Look(decimals=0, low=0),
    ),
    lines(
        "Approval rate by day",
        "Approved transactions of all of the sources chosen, of each whole day.",
        [
            series(f"""
                SELECT min(date_trunc('day', {LOCAL}) AT TIME ZONE time_zone) AS time,
                       sum(transactions) FILTER (WHERE status = 'approved')
                         / nullif(sum(transactions), 0) AS "approval rate"
                {ON_WHOLE_DAYS} GROUP BY ({LOCAL})::date ORDER BY 1
            """)
        ],
        Look("percentunit", 1, high=1),
    ),
    lines(
        "Transactions by status and hour",
        "What the day is made of.",
        [
            series(f"""
                SELECT $__timeGroup(time, '1h') AS time, status AS metric,
                       sum(transactions) AS value
                FROM reporting.minutes WHERE {IN_RANGE} GROUP BY 1, 2 ORDER BY 1
            """)
        ],
        Look(decimals=0, low=0),
        stacked=True,
        as_bars=True,
        colours=STATUS_COLOURS,
    ),
    listing(
        "Auth codes",
        "Of the time range, with their share of all that was not approved.",
        rows(f"""
            SELECT auth_code, status, sum(transactions) AS transactions,
                   sum(transactions) / nullif(sum(sum(transactions)) OVER (), 0) AS share
            FROM reporting.minutes WHERE {IN_RANGE} AND status <> 'approved'
            GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 30
        """),
        units={"share": "percentunit"},
    ),
)

SHEET = Sheet(
    uid="guardian-history",
    title="Historical analysis",
    why="How it was: day against day, the hours of the week, trends.",
    since="now-14d",
    refresh="5m",
    variables=("source", "status"),
    rows=(("In the time range", NUMBERS), ("Days and hours", DAYS), ("Trends", TRENDS)),
)
