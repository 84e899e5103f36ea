"""Making, listing, replacing and revoking API keys."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from guardian_site.access.lifetimes import ACCESS_LIFETIME
from guardian_site.access.selectors import ended_sign_ins, living_keys, open_sign_ins
from guardian_site.access.serializers import (
    AccessStatsBody,
    KeyBody,
    KeyListBody,
    KeyQuestion,
    MessageBody,
    NewKeyBody,
    Problem,
    RotateBody,
    key_body,
)
from guardian_site.access.services.keys import (
    KeyAmbiguous,
    KeyNotFound,
    find_key,
    key_signing_secret,
    make_key,
)
from ingest.models import ApiKey
from ingest.services.keys import revoke_key, rotate_key

REFERENCE = OpenApiParameter(
    "key",
    location=OpenApiParameter.PATH,
    description="Its id, its prefix, or its name if only one key has it.",
)


def _shown_once(key: ApiKey, secret: str, status: HTTPStatus, message: str) -> Response:
    body = {
        **key_body(key),
        "api_key": secret,
        "signing_secret": key_signing_secret(key),
        "message": message,
    }
    return Response(body, status=status, headers={"Cache-Control": "no-store"})


class KeysView(APIView):
    @extend_schema(
        operation_id="keys", tags=["API keys"], summary="Active keys", responses=KeyListBody
    )
    def get(self, request: Request) -> Response:
        keys = [key_body(key) for key in living_keys()]
        return Response({"total": len(keys), "keys": keys})

    @extend_schema(
        operation_id="make_key",
        tags=["API keys"],
        summary="Create a key; its secret is shown only once",
        request=KeyQuestion,
        responses={201: NewKeyBody},
    )
    def post(self, request: Request) -> Response:
        question = KeyQuestion(data=request.data)
        question.is_valid(raise_exception=True)
        key, secret = make_key(wanted=question.validated_data["wanted"], now=timezone.now())
        return _shown_once(
            key, secret, HTTPStatus.CREATED, "Keep it: it is shown only once and stored nowhere."
        )


class _OneKeyView(APIView):
    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, KeyNotFound):
            return Response({"detail": str(exc)}, HTTPStatus.NOT_FOUND)
        if isinstance(exc, KeyAmbiguous):
            return Response({"detail": str(exc)}, HTTPStatus.CONFLICT)
        return super().handle_exception(exc)


class KeyView(_OneKeyView):
    @extend_schema(
        operation_id="key",
        tags=["API keys"],
        summary="One key, without its secret",
        parameters=[REFERENCE],
        responses={200: KeyBody, 409: Problem},
    )
    def get(self, request: Request, key: str) -> Response:
        return Response(key_body(find_key(reference=key, now=timezone.now())))

    @extend_schema(
        operation_id="revoke_key",
        tags=["API keys"],
        summary="Revoke a key",
        parameters=[REFERENCE],
        responses={200: MessageBody, 409: Problem},
    )
    def delete(self, request: Request, key: str) -> Response:
        found = find_key(reference=key, now=timezone.now())
        revoke_key(key=found)
        return Response({"message": f"Revoked: {found}."})


class RotateKeyView(_OneKeyView):
    @extend_schema(
        operation_id="rotate_key",
        tags=["API keys"],
        summary="Replace a key; the old one stays valid for an overlap",
        parameters=[REFERENCE],
        request=RotateBody,
        responses={201: NewKeyBody, 409: Problem},
    )
    def post(self, request: Request, key: str) -> Response:
        body = RotateBody(data=request.data)
        body.is_valid(raise_exception=True)
        overlap = timedelta(hours=body.validated_data["overlap_hours"])
        old = find_key(reference=key, now=timezone.now())
        new, secret = rotate_key(key=old, overlap=overlap)
        return _shown_once(
            new,
            secret,
            HTTPStatus.CREATED,
            f"The old key is valid until {old.expires:%Y-%m-%d %H:%M %Z}.",
        )


class StatsView(APIView):
    @extend_schema(
        operation_id="access_stats",
        tags=["API keys"],
        summary="How many keys, people and sign-ins there are",
        responses=AccessStatsBody,
    )
    def get(self, request: Request) -> Response:
        now = timezone.now()
        body: dict[str, Any] = {
            "total_api_keys": living_keys().count(),
            "total_users": User.objects.filter(is_active=True).count(),
            "revoked_tokens": ended_sign_ins(),
            "signed_in": open_sign_ins(now),
            "jwt_expiration_hours": ACCESS_LIFETIME.total_seconds() / 3600,
        }
        return Response(body)
