"""How Guardian itself is: each stage from a report to a message, the model, the machine."""

from deploy.grafana.background import MACHINE, MODEL, RATE, TASKS, age, p95
from deploy.grafana.frame import Sheet
from deploy.grafana.look import AMBER, ANY_IS_BAD, GREEN, GREY, RED, Look
from deploy.grafana.panels import density, lines, number, tiles
from deploy.grafana.queries import now, over_time

STATES = 'max by (part, state) (guardian_site_part_state{{state="{state}"}} == 1) * 0 + {value}'
PART_WORDS = {
    "0": ("ok", GREEN),
    "1": ("idle", GREY),
    "2": ("degraded", AMBER),
    "3": ("down", RED),
}
PART_STATE = " or ".join(
    f"max by (part) ({STATES.format(state=word, value=value)})"
    for value, (word, _colour) in PART_WORDS.items()
)


PARTS = (
    tiles(
        "Parts",
        "As /health tells it. Idle: there is nothing to do yet.",
        now(PART_STATE, "{{part}}"),
        Look(words=PART_WORDS, steps=((None, GREEN), (2, AMBER), (3, RED))),
        width=16,
    ),
    number(
        "Web processes",
        "That Prometheus reaches.",
        now('sum(up{job="guardian-web"}) or vector(0)'),
        Look(decimals=0, steps=((None, RED), (1, GREEN))),
    ),
    number(
        "Sources watched",
        "Enabled; the canary left out.",
        now("max(guardian_ingest_sources)"),
        Look(decimals=0),
    ),
)

INTAKE = (
    lines(
        "Reports by outcome",
        "A second. Refused is a fault in what was sent, unavailable is the database.",
        [
            over_time(
                f"sum by (outcome) (rate(guardian_ingest_reports_total[{RATE}]))", "{{outcome}}"
            )
        ],
        Look("cps", low=0),
        width=8,
        stacked=True,
        colours={"refused": AMBER, "unavailable": RED, "recorded": GREEN},
    ),
    lines(
        "Time to commit, P95",
        "Of one group of reports, durable on disk.",
        [over_time(p95("guardian_ingest_commit_seconds"), "commit")],
        Look("s", low=0, steps=((None, GREEN), (0.1, AMBER))),
        width=8,
        marks=True,
    ),
    lines(
        "Transactions reported",
        "A minute, by status, as they came in; late ones included.",
        [over_time("guardian:transactions:rate5m * 60", "{{status}}")],
        Look(decimals=0, low=0),
        width=8,
        stacked=True,
    ),
    number(
        "Cache hit rate",
        "Share of reports answered from the cache, of the time range.",
        now(
            "sum(max(increase(transaction_guardian_cache_hits[$__range])))"
            " / (sum(max(increase(transaction_guardian_cache_hits[$__range])))"
            " + sum(max(increase(transaction_guardian_cache_misses[$__range]))) > 0)"
        ),
        Look("percentunit", 1),
    ),
    number(
        "Requests refused for their rate",
        "Of the time range (429).",
        now("sum(increase(guardian_site_rate_limited_total[$__range]))"),
        Look(decimals=0, steps=((None, GREEN), (1, AMBER))),
    ),
    number(
        "Reports without a verdict",
        "Answered without one in the time range; the sweep judges them.",
        now("sum(increase(guardian_ingest_unjudged_total[$__range]))"),
        Look(decimals=0, steps=ANY_IS_BAD),
    ),
    number(
        "Requests that share a commit",
        "Mean of the time range: the more come at once, the more share.",
        now(
            "sum(increase(guardian_ingest_shared_commit_reports_sum[$__range]))"
            " / (sum(increase(guardian_ingest_shared_commit_reports_count[$__range])) > 0)"
        ),
        Look(decimals=1),
    ),
    number(
        "Writes run again",
        "After a deadlock or a conflict, in the time range.",
        now("sum(increase(guardian_ingest_write_retries_total[$__range]))"),
        Look(decimals=0, steps=((None, GREEN), (10, AMBER), (1000, RED))),
    ),
    number(
        "Reports waiting in the stream",
        "Not taken in yet, as its consumers tell. No data where there is none, or none answers.",
        now("max(guardian_ingest_stream_waiting_entries)"),
        Look(decimals=0, steps=((None, GREEN), (10_000, AMBER))),
    ),
)

JUDGING = (
    lines(
        "Detection lag",
        "Age of the oldest closed minute that is not judged. A page is sent at ten minutes.",
        [over_time(age("detection"), "lag")],
        Look("s", steps=((None, GREEN), (180, AMBER), (600, RED)), low=0),
        width=8,
        marks=True,
    ),
    lines(
        "Time to judge, P95",
        "Of a group of reports while the client waits, and of a sweep of the closed minutes.",
        [
            over_time(p95("guardian_detection_assess_seconds"), "at once"),
            over_time(p95("guardian_detection_sweep_seconds"), "sweep"),
        ],
        Look("s", low=0),
        width=8,
    ),
    lines(
        "Minutes judged",
        "By the sweep, a minute, of all sources.",
        [over_time(f"sum(rate(guardian_detection_swept_minutes_total[{RATE}])) * 60", "judged")],
        Look(decimals=0, low=0),
        width=8,
    ),
    density(
        "Spread of scores",
        "Of the verdicts answered: normal traffic stays near 0.",
        over_time(f"sum by (le) (rate(guardian_detection_score_bucket[{RATE}]))", "{{le}}"),
        unit="none",
    ),
    lines(
        "Anomalies by family",
        "Found, an hour, as they were found.",
        [
            over_time(
                "sum by (family) (rate(guardian_detection_anomalies_total[15m])) * 3600",
                "{{family}}",
            )
        ],
        Look(decimals=1, low=0),
        stacked=True,
    ),
)

SHEET = Sheet(
    uid="guardian-pipeline",
    title="Pipeline & model health",
    why="How Guardian itself is: each stage from a report to a message, the model, the machine.",
    since="now-3h",
    refresh="30s",
    rows=(
        ("Parts", PARTS),
        ("Reports", INTAKE),
        ("Detection", JUDGING),
        ("Tasks and messages", TASKS),
        ("Model", MODEL),
        ("Machine", MACHINE),
    ),
)
