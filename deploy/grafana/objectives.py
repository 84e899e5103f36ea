"""What is promised, and whether it is kept: availability, latency, errors and their budget."""

from deploy.grafana.frame import Sheet
from deploy.grafana.look import AMBER, GREEN, RED, Look
from deploy.grafana.panels import density, dial, lines, number
from deploy.grafana.queries import now, over_time

# The same counters as in the recording rules, over the time range of the dashboard.
RESPONSES = 'django_http_responses_total_by_status_view_method_total{view!~"health.*|metrics"}'
FAILED = RESPONSES.replace("}", ',status=~"5.."}')
ERRORS = (
    f"(sum(increase({FAILED}[$__range])) or vector(0)) / (sum(increase({RESPONSES}[$__range])) > 0)"
)
REPORT = (
    'django_http_requests_latency_seconds_by_view_method_{part}{{view="transaction",method="POST"}}'
)
UPTIME = "avg_over_time(guardian:up[$__range])"
# Promised in words: 99.9 % up, 95 of 100 answers within 200 ms, 99 within 500 ms, 0.1 % errors.
UP, P95, P99, ERROR_SHARE = 0.999, 0.2, 0.5, 0.001


def quantile(part: float, window: str = "$__range") -> str:
    """Return the time within which that part of the reports is answered [s]."""
    buckets = REPORT.format(part="bucket")
    return f"histogram_quantile({part}, sum by (le) (rate({buckets}[{window}])))"


MEAN = (
    f"sum(rate({REPORT.format(part='sum')}[$__range]))"
    f" / (sum(rate({REPORT.format(part='count')}[$__range])) > 0)"
)
# `bool` makes 0 and 1 of a comparison; without it a missed target would show nothing at all.
MET = (
    f"({UPTIME} >= bool {UP})"
    f" * on () (({quantile(0.95)} <= bool {P95}) or vector(1))"
    f" * on () (({quantile(0.99)} <= bool {P99}) or vector(1))"
    f" * on () (({ERRORS} <= bool {ERROR_SHARE}) or vector(1))"
)

PROMISES = (
    number(
        "Uptime",
        "Share of time in which a web process answered and its database was there. Target 99.9 %.",
        now(UPTIME),
        Look("percentunit", 3, ((None, RED), (0.99, AMBER), (UP, GREEN))),
    ),
    number(
        "All targets met",
        "Uptime, P95, P99 and errors of the time range, all of them. What nobody asked is met.",
        now(MET),
        Look(words={"0": ("MISSED", RED), "1": ("MET", GREEN)}, steps=((None, RED), (1, GREEN))),
    ),
    number(
        "Error rate",
        "Share of requests that failed by our own fault (5xx). Target 0.1 %.",
        now(ERRORS),
        Look("percentunit", 3, ((None, GREEN), (ERROR_SHARE, AMBER), (0.01, RED))),
    ),
    number(
        "Success rate",
        "Share of requests that did not fail by our own fault.",
        now(f"1 - ({ERRORS})"),
        Look("percentunit", 3, ((None, RED), (0.99, AMBER), (1 - ERROR_SHARE, GREEN))),
    ),
    dial(
        "Error budget left",
        "Of the 0.1 % that may fail in the time range; below 0 it is overspent.",
        now(f"1 - ({ERRORS}) / {ERROR_SHARE}"),
        Look("percentunit", 0, ((None, RED), (0, RED), (0.1, AMBER), (0.5, GREEN)), low=0, high=1),
    ),
    number(
        "Requests",
        "Answered in the time range, probes left out.",
        now(f"sum(increase({RESPONSES}[$__range]))"),
        Look(decimals=0),
    ),
)

LATENCY = (
    number(
        "Mean latency",
        "Of the answers to POST /transaction. Target 100 ms.",
        now(MEAN),
        Look("s", 1, ((None, GREEN), (0.1, AMBER), (0.5, RED))),
        width=6,
    ),
    number(
        "P50 latency",
        "Half of the reports are answered within this time.",
        now(quantile(0.5)),
        Look("s", 1, ((None, GREEN), (0.1, AMBER), (0.2, RED))),
        width=6,
    ),
    number(
        "P95 latency",
        "95 of 100 reports are answered within this time. Target 200 ms.",
        now(quantile(0.95)),
        Look("s", 1, ((None, GREEN), (0.1, AMBER), (P95, RED))),
        width=6,
    ),
    number(
        "P99 latency",
        "99 of 100 reports are answered within this time. Target 500 ms.",
        now(quantile(0.99)),
        Look("s", 1, ((None, GREEN), (P95, AMBER), (P99, RED))),
        width=6,
    ),
    lines(
        "Latency of reports",
        "The dashed lines are the targets of P95 and P99.",
        [
            over_time("guardian:report_seconds:p50_5m", "P50"),
            over_time("guardian:report_seconds:p95_5m", "P95"),
            over_time("guardian:report_seconds:p99_5m", "P99"),
        ],
        Look("s", steps=((None, GREEN), (P95, AMBER), (P99, RED)), low=0),
        marks=True,
    ),
    density(
        "Spread of latency",
        "How many reports a second were answered within which time.",
        over_time(
            f"sum by (le) (rate({REPORT.format(part='bucket')}[$__rate_interval]))", "{{le}}"
        ),
        unit="s",
    ),
)

COURSE = (
    lines(
        "Uptime over time",
        "Of the hour before each point.",
        [over_time("avg_over_time(guardian:up[1h])", "up")],
        Look("percentunit", steps=((None, RED), (0.99, AMBER), (UP, GREEN)), low=0, high=1),
        marks=True,
    ),
    lines(
        "Error rate by hour",
        "Share of requests that failed by our own fault.",
        [over_time("guardian:errors:ratio_rate1h", "errors")],
        Look("percentunit", steps=((None, GREEN), (ERROR_SHARE, RED)), low=0),
        marks=True,
    ),
    lines(
        "Burn rate",
        "How many times faster than allowed the budget is spent. Pages: 14.4 (1 h), 6 (6 h).",
        [
            over_time(f"guardian:errors:ratio_rate1h / {ERROR_SHARE}", "1 h"),
            over_time(f"guardian:errors:ratio_rate6h / {ERROR_SHARE}", "6 h"),
            over_time(f"guardian:errors:ratio_rate3d / {ERROR_SHARE}", "3 d"),
        ],
        Look(decimals=1, steps=((None, GREEN), (1, AMBER), (6, RED), (14.4, RED)), low=0),
        marks=True,
    ),
    lines(
        "Errors by view",
        "Requests a second that failed by our own fault.",
        [over_time(f"sum by (view) (rate({FAILED}[$__rate_interval]))", "{{view}}")],
        Look("reqps", low=0),
    ),
    lines(
        "Requests by view",
        "Requests a second, probes left out.",
        [over_time(f"topk(8, sum by (view) (rate({RESPONSES}[$__rate_interval])))", "{{view}}")],
        Look("reqps", low=0),
        stacked=True,
    ),
    lines(
        "Answers by status code",
        "Requests a second. 4xx are faults of who asked, 5xx are ours.",
        [over_time(f"sum by (status) (rate({RESPONSES}[$__rate_interval]))", "{{status}}")],
        Look("reqps", low=0),
    ),
)

SHEET = Sheet(
    uid="guardian-objectives",
    title="SLA/SLO",
    why="What was promised and how it is kept: availability, latency, errors, and the budget.",
    since="now-24h",
    rows=(("Promises", PROMISES), ("Latency", LATENCY), ("Course", COURSE)),
)
