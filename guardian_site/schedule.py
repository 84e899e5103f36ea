"""When each task runs, and in which queue. One place, so that beat stays static and reviewable."""

from typing import Any

# Urgent first: a page must not wait behind a training run.
TASK_ROUTES: dict[str, dict[str, str]] = {
    "alerts.tasks.*": {"queue": "notify"},
    "detection.tasks.retrain_forest": {"queue": "train"},
    "detection.tasks.run_backtest": {"queue": "train"},
    "detection.tasks.try_proposals": {"queue": "train"},
    "detection.tasks.*": {"queue": "detect"},
    "guardian_site.tasks.apply_retention": {"queue": "train"},
    "guardian_site.tasks.*": {"queue": "notify"},
}
QUEUES = ("notify", "detect", "train")

# A task that has not started when the next is due is dropped by `expires`: the next does its work.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-closed-minutes": {
        "task": "detection.tasks.sweep_closed_minutes",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "retrain-forest": {
        "task": "detection.tasks.retrain_forest",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "absorb-anomalies": {
        "task": "alerts.tasks.absorb_anomalies",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "send-notifications": {
        "task": "alerts.tasks.send_due_notifications",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "escalate-incidents": {
        "task": "alerts.tasks.escalate_incidents",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "send-canary": {
        "task": "alerts.tasks.send_canary",
        "schedule": 60.0,
        "options": {"expires": 30},
    },
    "queue-digests": {
        "task": "alerts.tasks.queue_digests",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "poll-telegram": {
        "task": "alerts.tasks.poll_telegram",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "resume-backtests": {
        "task": "detection.tasks.resume_backtests",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "try-proposals": {
        "task": "detection.tasks.try_proposals",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "apply-retention": {
        "task": "guardian_site.tasks.apply_retention",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
    "beat": {"task": "guardian_site.tasks.beat", "schedule": 10.0, "options": {"expires": 10}},
}

# Sent by other tasks or by people, not by beat.
ON_DEMAND = (
    "alerts.tasks.send_channel",
    "alerts.tasks.watch_stages",
    "detection.tasks.run_backtest",
    "detection.tasks.sweep_part",
)
TASK_NAMES = tuple(sorted({one["task"] for one in BEAT_SCHEDULE.values()} | {*ON_DEMAND}))
