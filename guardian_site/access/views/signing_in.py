"""Signing in, going on, signing out, and who am I."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from guardian_site.access.identity import Identity
from guardian_site.access.second_factor import passes_second_factor
from guardian_site.access.serializers import (
    LoginBody,
    MeBody,
    MessageBody,
    Problem,
    RefreshBody,
    TokenBody,
    person,
    token_body,
)
from guardian_site.access.services.signing_in import (
    TokenRefused,
    refresh_sign_in,
    sign_in,
    sign_out,
)
from guardian_site.web.client_address import client_address

CODE_NEEDED = "The code of the second factor is needed."
CODE_REFUSED = "That code is wrong, was used before, or came too soon after a wrong one."
CHALLENGE = 'Bearer realm="Transaction Guardian"'


def _refusal(detail: str, **more: Any) -> Response:
    body = {"detail": detail, **more}
    headers = {"WWW-Authenticate": CHALLENGE, "Cache-Control": "no-store"}
    return Response(body, status=HTTPStatus.UNAUTHORIZED, headers=headers)


def _tokens(body: dict[str, Any]) -> Response:
    return Response(body, headers={"Cache-Control": "no-store"})


class OpenView(APIView):
    """A route whose view itself asks for credentials; a browser's session proves nothing here."""

    authentication_classes = ()


class LoginView(OpenView):
    @extend_schema(
        operation_id="login",
        tags=["Sign-in"],
        summary="Exchange a name and a password for tokens",
        request=LoginBody,
        responses={200: TokenBody, 401: Problem},
        auth=[],
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        body = LoginBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        user = authenticate(_plain(request), username=given["username"], password=given["password"])
        if not isinstance(user, User):
            return _refusal("Invalid username or password")
        code = given.get("code", "")
        if not passes_second_factor(user=user, code=code):
            return _refusal(CODE_REFUSED if code else CODE_NEEDED, code_required=True)
        address = client_address(_plain(request))
        return _tokens(token_body(sign_in(user=user, address=address, now=timezone.now())))


class RefreshView(OpenView):
    @extend_schema(
        operation_id="refresh",
        tags=["Sign-in"],
        summary="Exchange a refresh token for new tokens",
        description="Each refresh token works once; one that is sent twice ends the sign-in.",
        request=RefreshBody,
        responses=TokenBody,
        auth=[],
    )
    def post(self, request: Request) -> Response:
        body = RefreshBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            pair = refresh_sign_in(token=body.validated_data["refresh_token"], now=timezone.now())
        except TokenRefused as refusal:
            return _refusal(str(refusal))
        return _tokens(token_body(pair))


class LogoutView(APIView):
    @extend_schema(
        operation_id="logout",
        tags=["Sign-in"],
        summary="End the sign-in that this token belongs to",
        request=None,
        responses={200: MessageBody, 400: Problem},
    )
    def post(self, request: Request) -> Response:
        identity: Identity = request._request.identity  # type: ignore[attr-defined]
        if identity.sign_in is None:
            detail = "Only a sign-in can be signed out; revoke a key instead."
            return Response({"detail": detail}, HTTPStatus.BAD_REQUEST)
        sign_out(sign_in_id=identity.sign_in, now=timezone.now())
        return Response({"message": "Signed out.", "user": identity.caller.name})


class MeView(APIView):
    @extend_schema(
        operation_id="me", tags=["Sign-in"], summary="Who I am and what I may do", responses=MeBody
    )
    def get(self, request: Request) -> Response:
        identity: Identity = request._request.identity  # type: ignore[attr-defined]
        return Response({"authenticated": True, "user": _self(identity)})


def _self(identity: Identity) -> dict[str, Any]:
    if identity.key is not None:
        return {
            "type": "api_key",
            "name": identity.key.name,
            "permissions": sorted(identity.key.scopes),
            "source": identity.key.source_name,
        }
    return {"type": "session" if identity.by_session else "jwt", **person(identity.user)}


def _plain(request: Request) -> HttpRequest:
    return request._request
