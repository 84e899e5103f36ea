"""Rows of the pipeline dashboard about background work: tasks, messages, the model, the machine."""

from deploy.grafana.look import AMBER, GREEN, GREY, RED, Look
from deploy.grafana.panels import bars, lines, listing, number
from deploy.grafana.queries import now, over_time, rows

RATE = "$__rate_interval"


def p95(histogram: str, by: str = "") -> str:
    """Return the 95th percentile of a histogram, apart by a label if one is named."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile(0.95, sum by ({labels}) (rate({histogram}_bucket[{RATE}])))"


def age(part: str) -> str:
    """Return the age that /health tells of a part [s]."""
    return f'max(guardian_site_part_age_seconds{{part="{part}"}})'


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
        width=4,
        height=8,
    ),
    number(
        "Version of the live forest",
        "Its number in the list beside; a step is a promotion or a rollback.",
        now("max(guardian_detection_forest_version)"),
        Look(decimals=0),
        width=3,
        height=8,
    ),
    number(
        "Sources that still learn",
        "What is normal there is not known well enough yet.",
        now("sum(max by (source) (guardian_detection_learning))"),
        Look(decimals=0),
        width=3,
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
        "Of the disk that holds the database; nothing where GUARDIAN_DISK_PATH does not name it.",
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
