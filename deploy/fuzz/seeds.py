"""Valid inputs of each target for a fuzzer to vary, and words that matter to the targets."""

import json


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


REPORT = {
    "timestamp": "2025-07-12T13:45:00Z",
    "status": "denied",
    "count": 4,
    "auth_code": "51",
    "source": "acquirer-a",
    "id": "tx-1",
}
CLICK = {
    "user": {"id": "U1", "username": "ana"},
    "actions": [{"action_id": "acknowledge", "value": "1"}],
}
ALERT = {
    "version": "4",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Disk", "severity": "critical", "source": "default"},
            "annotations": {"summary": "full", "runbook_url": "https://example.com/r"},
            "startsAt": "2026-03-02T12:00:00.123Z",
            "generatorURL": "https://example.com/g",
            "fingerprint": "abc",
        }
    ],
}
ASKED = {
    "update_id": 1,
    "message": {
        "chat": {"id": 7},
        "from": {"id": 9, "username": "ana"},
        "text": "/silence #1 30",
    },
}
PRESSED = {
    "update_id": 2,
    "callback_query": {
        "id": "q",
        "data": "acknowledge:1",
        "from": {"id": 9},
        "message": {"chat": {"id": 7}},
    },
}
SEEDS: dict[str, list[bytes]] = {
    "report": [_json(REPORT), b'{"status": "approved"}'],
    "batch": [_json({"transactions": [REPORT, {"status": "approved", "count": 1}]})],
    "moment": [b"2025-07-12T13:45:00.5+02:00", b"2025-07-12 13:45", b"2018-11-04T00:30"],
    "count_file": [
        b"timestamp,status,count\n2025-07-12 13:45:00,approved,116\n",
        b"timestamp;auth_code;count\r\n2025-07-12T13:45Z;51;3\r\n",
        b'\xef\xbb\xbf"timestamp","status","auth_code","count"\n'
        b'"2025-07-12 13:45","denied","05","1"\n',
    ],
    "signed_headers": [
        b"X-Key-Id: tg_123456789\nX-Timestamp: 1764140000\nX-Signature: v1=00ff",
        b"X-Api-Key: tg_123456789abcdef",
    ],
    "oauth_form": [
        b"Basic dGdfMTIzOng=\ngrant_type=client_credentials&scope=read",
        b"\ngrant_type=client_credentials&client_id=tg_123456789&client_secret=x",
    ],
    "alertmanager": [_json(ALERT)],
    "slack": [_json(CLICK)],
    "telegram": [
        _json(ASKED),
        _json(PRESSED),
        *(
            _json({**ASKED, "message": {**ASKED["message"], "text": text}})  # type: ignore[dict-item]
            for text in (
                "/status",
                "/ack 1",
                "/resolve@bot #1",
                "/start",
                "/subscribe",
                "/incidents",
            )
        ),
    ],
}
WORDS = [
    *("status", "count", "auth_code", "source", "timestamp", "id", "transactions", "pan"),
    *("approved", "denied", "4111111111111111", "4111 1111 1111 1111", "\\ud800", "\0", "é", "²"),
    *("user", "username", "actions", "action_id", "value", "acknowledge", "silence", "resolve"),
    *("alerts", "labels", "annotations", "startsAt", "firing", "resolved", "alertname"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "1e400", "-1", "99999999999999999999"),
    *("message", "chat", "from", "text", "callback_query", "data", "/silence 1 99999999999999"),
    *("grant_type=", "client_credentials", "Basic ", "%00", "%ff", "&", "=", "\r\n", ",", ";", '"'),
    *("<script>", "{{7*7}}", "${jndi:x}", "*_~`", "<!channel>", "=cmd()", "٣", "\u202e"),
]
