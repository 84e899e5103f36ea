"""What /docs says about the doors: bodies, answers and refusals, with examples that are true."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from ingest.models import Status
from ingest.parsing.bodies import LARGEST_COUNT

LEVELS = ("NORMAL", "WARNING", "CRITICAL")

_REPORT = inline_serializer(
    "Report",
    {
        "status": serializers.ChoiceField(choices=Status.choices),
        "timestamp": serializers.CharField(
            required=False,
            allow_null=True,
            help_text="ISO 8601; without a zone it is in the time zone of the source. In the hour "
            "repeated when clocks go back, the later one is meant as soon as it has come; a time "
            "skipped when they go forward moves on. If left out: now, and never a repeat.",
        ),
        "count": serializers.IntegerField(
            required=False, default=1, min_value=0, max_value=LARGEST_COUNT
        ),
        "auth_code": serializers.CharField(
            required=False,
            default="00",
            allow_null=True,
            allow_blank=True,
            max_length=16,
            help_text="ISO 8583 response code; null and empty mean 00.",
        ),
        "source": serializers.CharField(
            required=False,
            default="default",
            allow_null=True,
            max_length=64,
            help_text="Who reports. A key limited to one source may name no other.",
        ),
        "id": serializers.CharField(
            required=False,
            allow_null=True,
            max_length=128,
            help_text="Makes it an individual transaction, counted once; sent again: corrected.",
        ),
    },
)

_BATCH = inline_serializer(
    "Batch",
    {
        "transactions": serializers.ListSerializer(child=_REPORT),
    },
)

_METRICS = inline_serializer(
    "Metrics",
    {
        "current_count": serializers.IntegerField(help_text="The count of this report."),
        "status": serializers.ChoiceField(choices=Status.choices),
        "auth_code": serializers.CharField(),
        "zscore": serializers.FloatField(
            allow_null=True,
            help_text="Distance of the status from what was expected, in standard deviations. "
            "Null here and below: not known yet.",
        ),
        "ml_score": serializers.FloatField(allow_null=True, help_text="Second opinion, 0 to 1."),
        "approval_rate": serializers.FloatField(
            allow_null=True, help_text="Share of the transactions of the minute approved, 0 to 1."
        ),
        "running_mean": serializers.FloatField(allow_null=True, help_text="The same as expected."),
        "running_std": serializers.FloatField(
            allow_null=True, help_text="A sixth of the width of the band."
        ),
        "expected": serializers.FloatField(
            allow_null=True, help_text="Count expected of this status in this minute."
        ),
        "lower": serializers.FloatField(allow_null=True, help_text="Lower edge of its band."),
        "upper": serializers.FloatField(allow_null=True, help_text="Upper edge of its band."),
        "total": serializers.IntegerField(
            allow_null=True, help_text="Transactions counted in this minute, of every status."
        ),
        "expected_total": serializers.FloatField(
            allow_null=True, help_text="Transactions expected in this minute, of every status."
        ),
        "reported": serializers.IntegerField(
            allow_null=True, help_text="Counted of this status in this minute, of every code."
        ),
    },
)

_VERDICT = inline_serializer(
    "Verdict",
    {
        "is_anomaly": serializers.BooleanField(),
        "alert_level": serializers.ChoiceField(choices=LEVELS),
        "anomaly_score": serializers.FloatField(
            min_value=0,
            max_value=1,
            help_text="How unusual the minute is, from ordinary to never seen; at least a half "
            "where what adds up over many minutes raised an alarm.",
        ),
        "rule_violations": serializers.ListField(child=serializers.CharField()),
        "recommendation": serializers.CharField(),
        "metrics": _METRICS,
        "reasons": serializers.ListField(child=serializers.CharField()),
        "family": serializers.CharField(
            allow_null=True, help_text="Kind of failure, such as decline; null if there is none."
        ),
        "learning": serializers.BooleanField(
            help_text="True while too little has been seen to know what is normal."
        ),
        "incident": serializers.IntegerField(
            allow_null=True, help_text="Number of the ongoing incident, if there is one."
        ),
        "judged": serializers.BooleanField(
            help_text="False: stored, and judged in the background instead."
        ),
        "cached": serializers.BooleanField(
            help_text="True for a repeat, which gets the earlier answer."
        ),
    },
)

_BATCH_ROW = inline_serializer(
    "BatchRow",
    {
        "timestamp": serializers.DateTimeField(),
        "is_anomaly": serializers.BooleanField(),
        "alert_level": serializers.ChoiceField(choices=LEVELS),
        "score": serializers.FloatField(),
        "cached": serializers.BooleanField(),
        "source": serializers.CharField(),
        "status": serializers.ChoiceField(choices=Status.choices),
        "auth_code": serializers.CharField(),
    },
)

_BATCH_ANSWER = inline_serializer(
    "BatchAnswer",
    {
        "processed": serializers.IntegerField(),
        "anomalies_found": serializers.IntegerField(),
        "anomaly_rate": serializers.FloatField(),
        "cache_hits": serializers.IntegerField(),
        "results": serializers.ListSerializer(child=_BATCH_ROW),
    },
)

_FIELD_ERROR = inline_serializer(
    "FieldError",
    {
        "field": serializers.CharField(),
        "message": serializers.CharField(),
    },
)

_REFUSAL = inline_serializer(
    "Refusal",
    {
        "detail": serializers.CharField(),
        "errors": serializers.ListSerializer(
            child=_FIELD_ERROR, required=False, help_text="Present when a value is wrong."
        ),
    },
)

_REDIS_FACTS = inline_serializer(
    "RedisFacts",
    {
        "used_memory": serializers.IntegerField(allow_null=True),
        "connected_clients": serializers.IntegerField(allow_null=True),
    },
)

_CACHE_STATS = inline_serializer(
    "CacheStats",
    {
        "connected": serializers.BooleanField(),
        "backend": serializers.ChoiceField(choices=("redis", "in-process")),
        "hits": serializers.IntegerField(),
        "misses": serializers.IntegerField(),
        "sets": serializers.IntegerField(),
        "errors": serializers.IntegerField(),
        "hit_rate": serializers.FloatField(min_value=0, max_value=100),
        "redis_info": _REDIS_FACTS,
    },
)

_KEY = OpenApiParameter(
    "X-API-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Required when GUARDIAN_REQUIRE_API_KEY is on.",
)
_BAD = OpenApiExample(
    "A batch with a bad row",
    status_codes=["400"],
    response_only=True,
    value={
        "detail": "Nothing was stored: one value is not valid.",
        "errors": [
            {
                "field": "transactions[3].count",
                "message": "must be a whole number from 0 to 1000000000000",
            }
        ],
    },
)
_REFUSALS = {
    400: OpenApiResponse(_REFUSAL, "What is wrong and where; nothing was stored"),
    401: OpenApiResponse(_REFUSAL, "The key is missing or not valid"),
    403: OpenApiResponse(_REFUSAL, "The key may not report for this source"),
    408: OpenApiResponse(_REFUSAL, "The body did not arrive completely in time"),
    413: OpenApiResponse(_REFUSAL, "The body is over 5 MB"),
    415: OpenApiResponse(_REFUSAL, "The body is not application/json"),
    429: OpenApiResponse(_REFUSAL, "Too many requests; see Retry-After"),
    503: OpenApiResponse(_REFUSAL, "The database is not available; send again after Retry-After"),
}

describe_report = extend_schema(
    operation_id="report",
    tags=["Transactions"],
    summary="Report a count, get a verdict",
    description="The report is committed before the answer. The same report again changes "
    "nothing; another count for the same source, time, status and code corrects it.",
    parameters=[_KEY],
    request=_REPORT,
    responses={200: _VERDICT, **_REFUSALS},
    examples=[
        OpenApiExample(
            "The approvals of a minute",
            request_only=True,
            value={
                "timestamp": "2025-07-12T13:45:00",
                "status": "approved",
                "count": 116,
                "auth_code": "00",
            },
        ),
        OpenApiExample(
            "One transaction",
            request_only=True,
            value={"status": "denied", "auth_code": "51", "id": "tx-1", "source": "shop-1"},
        ),
    ],
)
describe_batch = extend_schema(
    operation_id="report_batch",
    tags=["Transactions"],
    summary="Report whole minutes together",
    description="Up to 10,000 reports: all are stored or none, and every bad row is named.",
    parameters=[_KEY],
    request=_BATCH,
    responses={200: _BATCH_ANSWER, **_REFUSALS},
    examples=[
        OpenApiExample(
            "A minute",
            request_only=True,
            value={
                "transactions": [
                    {"timestamp": "2025-07-12T13:45:00", "status": "approved", "count": 116},
                    {
                        "timestamp": "2025-07-12T13:45:00",
                        "status": "denied",
                        "auth_code": "51",
                        "count": 3,
                    },
                ]
            },
        ),
        _BAD,
    ],
)
describe_cache_stats = extend_schema(
    operation_id="cache_stats",
    tags=["Operation"],
    summary="Statistics of the answer cache, over all processes",
    responses=_CACHE_STATS,
)
describe_cache_flush = extend_schema(
    operation_id="cache_flush",
    tags=["Operation"],
    summary="Clear all cached answers; nothing else in the cache is touched",
    responses={200: inline_serializer("CacheFlushed", {"message": serializers.CharField()})},
)
