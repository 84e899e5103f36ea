"""How Guardian itself is: each stage from a report to a message, the model, the machine."""

from deploy.grafana.frame import Sheet
from deploy.grafana.panels import (
    AMBER,
    ANY_IS_BAD,
    GREEN,
    GREY,
    RED,
    Look,
    bars,
    density,
    lines,
    listing,
    number,
    tiles,
)
from deploy.grafana.queries import now, over_time, rows

RATE = "$__rate_interval"
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


def p95(histogram: str, by: str = "") -> str:
    """Return the 95th percentile of a histogram, apart by a label if one is named."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile(0.95, sum by ({labels}) (rate({histogram}_bucket[{RATE}])))"


def age(part: str) -> str:
    """Return the age that /health tells of a part [s]."""
    return f'max(guardian_site_part_age_seconds{{part="{part}"}})'


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
        width=5,
    ),
    number(
        "Requests refused for their rate",
        "Of the time range (429).",
        now("sum(increase(guardian_site_rate_limited_total[$__range]))"),
        Look(decimals=0, steps=((None, GREEN), (1, AMBER))),
        width=5,
    ),
    number(
        "Reports without a verdict",
        "Answered without one in the time range; the sweep judges them.",
        now("sum(increase(guardian_ingest_unjudged_total[$__range]))"),
        Look(decimals=0, steps=ANY_IS_BAD),
        width=5,
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
        width=5,
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

TASKS = (
    lines(
        "Time tasks wait, P95",
        "From sending to start, by queue.",
        [over_time(p95("guardian_site_task_wait_seconds", "queue"), "{{queue}}")],
        Look("s", steps=((None, GREEN), (10, RED)), low=0),
        width=8,
    ),
    lines(
        "Longest tasks, P95",
        "The five that take longest.",
        [over_time(f"topk(5, {p95('guardian_site_task_seconds', 'task')})", "{{task}}")],
        Look("s", low=0),
        width=8,
    ),
    bars(
        "Tasks that failed",
        "In the time range, by task.",
        now(
            'sum by (task) (increase(guardian_site_tasks_total{outcome="failed"}[$__range])) > 0',
            "{{task}}",
        ),
        Look(decimals=0, steps=((None, AMBER), (10, RED)), low=0),
        width=8,
    ),
    lines(
        "Signs of life",
        "Age of the newest, of workers, beat, and of the chain from beat to a worker.",
        [
            over_time(
                'max by (part) (guardian_site_part_age_seconds{part=~"worker|beat|tasks"})',
                "{{part}}",
            )
        ],
        Look("s", steps=((None, GREEN), (20, AMBER), (60, RED)), low=0),
        width=8,
        marks=True,
    ),
    lines(
        "Canary by stage",
        "Time since the made-up report last came through. Where it stands, a page would too.",
        [over_time("max by (stage) (guardian_alerts_stage_age_seconds)", "{{stage}}")],
        Look("s", steps=((None, GREEN), (150, AMBER), (300, RED)), low=0),
        width=8,
        marks=True,
    ),
    lines(
        "Oldest message that waits",
        "A page is sent at five minutes.",
        [over_time("max(guardian_alerts_oldest_pending_seconds)", "waits")],
        Look("s", steps=((None, GREEN), (60, AMBER), (300, RED)), low=0),
        width=8,
        marks=True,
    ),
)

MODEL = (
    number(
        "Age of the live forest",
        "It should be trained anew each week. Without one, rules and Z-scores judge alone.",
        now(age("forest")),
        Look("s", 1, ((None, GREEN), (8 * 86400, AMBER), (21 * 86400, RED))),
        width=6,
        height=8,
    ),
    number(
        "Sources that still learn",
        "What is normal there is not known well enough yet.",
        now("sum(max by (source) (guardian_detection_learning))"),
        Look(decimals=0),
        width=4,
        height=8,
    ),
    listing(
        "Versions of the forest",
        "Promoted only when a backtest did not get worse.",
        rows("""
            SELECT id, state, trained, promoted, window_start, window_end, note
            FROM reporting.forests ORDER BY trained DESC LIMIT 20
        """),
        width=14,
        colours={"state": {"live": GREEN, "shadow": AMBER, "retired": GREY}},
    ),
)

MACHINE = (
    lines(
        "Disk free",
        "Of the disk that holds the database.",
        [
            over_time(
                "max(guardian_site_disk_free_bytes) / max(guardian_site_disk_size_bytes)", "free"
            )
        ],
        Look("percentunit", steps=((None, RED), (0.05, AMBER), (0.15, GREEN)), low=0, high=1),
        marks=True,
    ),
    lines(
        "Targets reached",
        "Processes that Prometheus reaches, by kind.",
        [over_time('sum by (job) (up{job=~"guardian-.*"})', "{{job}}")],
        Look(decimals=0, low=0),
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
