"""Buttons under Slack's messages: only with Slack's signature, and only now."""

import hashlib
import hmac
import json
import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from alerts import conf
from alerts.models import Incident
from alerts.selectors.channels import named_slack_users
from alerts.services.acting import act
from ingest import steady_clock
from ingest.plain import plain

# Older requests are repeats, of ours or of somebody who listened.
FRESH_SECONDS = 300
BODY_AT_MOST = 256 * 1024
ACTIONS = {
    "acknowledge": "acknowledge",
    "resolve": "resolve",
    "silence": "silence",
    "false_positive": "false-positive",
}
logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def slack_actions(request: HttpRequest) -> HttpResponse:
    if len(request.body) > BODY_AT_MOST or not is_from_slack(
        request, steady_clock.now().timestamp()
    ):
        return HttpResponse("This does not carry Slack's signature.", status=401)
    try:
        asked = json.loads(request.POST.get("payload", ""))
        who, clicks = asked["user"], asked["actions"]
        # Who may see the channel may press; a channel that names its users means them alone.
        users = named_slack_users()
        if users and str(who["id"]) not in users:
            logger.warning("slack: %s may not act", _name(who))
            return HttpResponse(status=200)
        done = [plain(_click(click, _name(who))) for click in clicks]
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError):
        return HttpResponse("This is not a click.", status=400)
    # Slack shows nothing of the answer; the outbox edits the message.
    logger.info("slack: %s", "; ".join(done))
    return HttpResponse(status=200)


def _name(who: dict[str, Any]) -> str:
    return plain(f"{who.get('username') or who.get('name') or 'somebody'} ({who['id']})")


def _click(click: dict[str, Any], actor: str) -> str:
    action, number = ACTIONS.get(str(click["action_id"]), ""), int(click["value"])
    if not action:
        # Links are buttons too; there is nothing to do for them.
        return f"{click['action_id']} needs nothing"
    try:
        act(action, incident_id=number, actor=actor, via="slack", now=steady_clock.now())
    except Incident.DoesNotExist:
        return f"#{number} does not exist"
    except ValueError as error:
        # Two people pressed the same button: the second one is right, too.
        return f"#{number}: {error}"
    return f"#{number}: {action} by {actor}"


def is_from_slack(request: HttpRequest, now: float) -> bool:
    """Check the signature as Slack documents it: v0, HMAC-SHA256, at most five minutes old."""
    secret = conf.slack_signing_secret()
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    if not secret or not stamp.isascii() or not stamp.isdigit():
        return False
    if abs(now - int(stamp[:12])) > FRESH_SECONDS:
        return False
    signed = b"v0:" + stamp.encode() + b":" + request.body
    proof = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    sent = request.headers.get("X-Slack-Signature", "")
    return hmac.compare_digest(proof.encode(), sent.encode())
