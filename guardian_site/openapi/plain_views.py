"""What /openapi.json says of views that are not of DRF: probes, metrics, the stream, clicks."""

from typing import Any

Described = dict[str, Any]
STATES = ["ok", "degraded", "down", "idle"]
HEALTH = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["healthy", "degraded", "unhealthy"]},
        "timestamp": {"type": "string", "format": "date-time"},
        "uptime_seconds": {"type": "number"},
        "version": {"type": "string"},
        "mode": {"type": "string", "enum": ["embedded", "full"]},
        "components": {
            "type": "object",
            "additionalProperties": {"type": "string", "enum": STATES},
        },
        "parts": {
            "type": "object",
            "additionalProperties": {"$ref": "#/components/schemas/PartHealth"},
        },
    },
    "required": ["status", "timestamp", "uptime_seconds", "version", "mode", "components", "parts"],
}
PART_HEALTH = {
    "type": "object",
    "properties": {
        "state": {"type": "string", "enum": STATES},
        "detail": {"type": "string"},
        "age_seconds": {"type": "number", "nullable": True},
        "latency_ms": {"type": "number", "nullable": True},
    },
    "required": ["state", "detail", "age_seconds", "latency_ms"],
}
PROBE = {
    "type": "object",
    "properties": {"status": {"type": "string"}, "detail": {"type": "string"}},
    "required": ["status"],
}
TEXT = {"type": "string"}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
EVENTS = """retry: 2000
id: 12.7
event: anomaly
data: {"id": 12, "source": "acquirer-a", "family": "decline", "alert_level": "CRITICAL"}
"""


def _answer(description: str, schema: Described, kind: str = "application/json") -> Described:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _health(description: str) -> Described:
    return _answer(description, {"$ref": "#/components/schemas/Health"})


PLAIN_VIEWS: dict[str, Described] = {
    "/stream": {
        "get": {
            "operationId": "stream",
            "tags": ["Stream"],
            "summary": "Anomalies and changes of incidents, as server-sent events",
            "description": "Events are named `anomaly` and `incident`; their data is JSON. A "
            "heartbeat comes every fifteen seconds. The connection ends after ten minutes; a "
            "client that reconnects with the id of the last event misses nothing.",
            "parameters": [
                {
                    "in": "header",
                    "name": "Last-Event-ID",
                    "schema": TEXT,
                    "description": "Id of the last event read; browsers send it by themselves. "
                    "If left out: what happens from now on.",
                },
                {
                    "in": "query",
                    "name": "last_event_id",
                    "schema": TEXT,
                    "description": "The same, for clients that cannot send the header.",
                },
            ],
            "responses": {
                "200": {
                    "description": "An open connection",
                    "content": {"text/event-stream": {"schema": TEXT, "example": EVENTS}},
                },
                "400": _answer("This is not the id of an event.", PROBLEM),
                "503": _answer("Too many connections are open; see Retry-After.", PROBLEM),
            },
        }
    },
    "/health": {
        "get": {
            "operationId": "health",
            "tags": ["Operation"],
            "summary": "The state of every part",
            "responses": {
                "200": _health("Reports can be accepted; `degraded` if a part is not healthy."),
                "503": _health("The database is down: no reports can be accepted."),
            },
        }
    },
    "/health/live": {
        "get": {
            "operationId": "health_live",
            "tags": ["Operation"],
            "summary": "Whether the process answers at all",
            "responses": {"200": _answer("It does.", PROBE)},
        }
    },
    "/health/ready": {
        "get": {
            "operationId": "health_ready",
            "tags": ["Operation"],
            "summary": "Whether requests may be sent here",
            "responses": {
                "200": _answer("They may.", PROBE),
                "503": _answer("The database is not available or not migrated.", PROBE),
            },
        }
    },
    "/metrics": {
        "get": {
            "operationId": "metrics",
            "tags": ["Operation"],
            "summary": "All metrics, in the text format of Prometheus",
            "responses": {"200": _answer("The metrics of all processes", TEXT, "text/plain")},
        }
    },
    "/slack/actions": {
        "post": {
            "operationId": "slack_actions",
            "tags": ["Webhooks"],
            "summary": "Clicks on the buttons under Slack's messages",
            "description": "Signed by Slack with the signing secret of the app, at most five "
            "minutes ago.",
            "requestBody": {
                "required": True,
                "content": {
                    "application/x-www-form-urlencoded": {
                        "schema": {
                            "type": "object",
                            "properties": {
                                "payload": {
                                    "type": "string",
                                    "description": "JSON, as Slack has it",
                                }
                            },
                            "required": ["payload"],
                        }
                    }
                },
            },
            "responses": {
                "200": {"description": "Done, or there was nothing to do."},
                "400": {"description": "This is not a click."},
                "401": {"description": "This does not carry Slack's signature."},
            },
        }
    },
}
