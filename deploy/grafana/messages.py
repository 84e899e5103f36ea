"""Whether messages arrived: a row of the dashboard of incidents."""

from deploy.grafana.look import AMBER, GREEN, PLAIN, RED, Look
from deploy.grafana.panels import bars, lines, number
from deploy.grafana.queries import now, over_time, rows, series

GIVEN_UP = 'guardian_alerts_notifications_total{outcome="dead"}'

MESSAGES = (
    lines(
        "Messages by outcome",
        "Tests and canaries left out.",
        [
            series("""
                SELECT $__timeGroup(created, $__interval) AS time, state AS metric,
                       count(*) AS value
                FROM reporting.messages WHERE $__timeFilter(created) GROUP BY 1, 2 ORDER BY 1
            """)
        ],
        Look(decimals=0, low=0),
        width=10,
        stacked=True,
        as_bars=True,
        colours={"sent": GREEN, "dead": RED, "suppressed": "#8E8E8E", "pending": AMBER},
    ),
    number(
        "Time to deliver, P95",
        "From when a message was due until the channel took it.",
        rows("""
            SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS value
            FROM reporting.messages WHERE $__timeFilter(created) AND state = 'sent'
        """),
        Look("s", 1, ((None, GREEN), (30, AMBER), (120, RED))),
        height=8,
    ),
    number(
        "Oldest that waits",
        "How long the oldest message that is due has waited.",
        now("max(guardian_alerts_oldest_pending_seconds)"),
        Look("s", 0, ((None, GREEN), (60, AMBER), (300, RED))),
        height=8,
    ),
    bars(
        "Waiting by channel",
        "Messages that wait or are being sent.",
        now("max by (channel) (guardian_alerts_waiting) > 0", "{{channel}}"),
        Look(decimals=0, steps=((None, PLAIN[0][1]), (5, AMBER), (50, RED)), low=0),
        width=6,
    ),
    lines(
        "Messages given up",
        "Refused by their channel for good, in the hour before each point.",
        [
            over_time(
                f"sum by (channel) (max by (channel) ({GIVEN_UP})"
                f" - max by (channel) ({GIVEN_UP} offset 1h)) > 0",
                "{{channel}}",
            )
        ],
        Look(decimals=0, low=0),
        width=24,
    ),
)
