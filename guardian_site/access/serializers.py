"""What the /auth routes take and give."""

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from rest_framework import serializers

from guardian_site.access.roles import PERMISSIONS, role_of
from guardian_site.access.services.keys import (
    FORMER_WORDS,
    LONGEST_DAYS,
    SHORTEST_DAYS,
    Wanted,
    scopes_from,
)
from guardian_site.access.services.signing_in import TokenPair
from ingest.models import RATE, ApiKey, Source
from ingest.parsing.exact_bodies import ExactSerializer

Fields = dict[str, Any]
SCOPE_WORDS = [*ApiKey.Scope.values, *FORMER_WORDS]


class LoginBody(ExactSerializer[Fields]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=256, trim_whitespace=False)
    code = serializers.CharField(
        max_length=16, required=False, allow_blank=True, help_text="Second factor, if you have one."
    )


class RefreshBody(ExactSerializer[Fields]):
    refresh_token = serializers.CharField(max_length=4096)


class PersonBody(serializers.Serializer[Fields]):
    username = serializers.CharField()
    role = serializers.CharField(allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField())


class TokenBody(serializers.Serializer[Fields]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
    user = PersonBody()


# The client, where HTTP Basic does not name it. Unknown parameters are ignored (RFC 6749, 3.2).
class ClientCredentials(serializers.Serializer[Fields]):
    client_id = serializers.CharField(required=False, help_text="Prefix of the key.")
    client_secret = serializers.CharField(required=False, help_text="The key.")


class ClientTokenQuestion(ClientCredentials):
    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    scope = serializers.CharField(
        required=False, help_text="Separated by spaces; if left out, all that the key has."
    )


class ClientTokenBody(serializers.Serializer[Fields]):
    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    scope = serializers.CharField()


class TokenQuestion(ClientCredentials):
    token = serializers.CharField()
    token_type_hint = serializers.CharField(required=False)


class IntrospectionBody(serializers.Serializer[Fields]):
    """Of a token that opens nothing there is no more than `active: false`."""

    active = serializers.BooleanField()
    token_type = serializers.ChoiceField(choices=["bearer"], required=False)
    client_id = serializers.CharField(required=False)
    username = serializers.CharField(required=False)
    scope = serializers.CharField(required=False)
    sub = serializers.CharField(required=False)
    iss = serializers.CharField(required=False)
    jti = serializers.CharField(required=False)
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)


class OAuthProblem(serializers.Serializer[Fields]):
    """RFC 6749, 5.2; `detail` says the same, as in every other refusal."""

    error = serializers.CharField()
    error_description = serializers.CharField()
    detail = serializers.CharField()


class ServerMetadataBody(serializers.Serializer[Fields]):
    """RFC 8414."""

    issuer = serializers.CharField()
    token_endpoint = serializers.CharField()
    revocation_endpoint = serializers.CharField()
    introspection_endpoint = serializers.CharField()
    service_documentation = serializers.CharField()
    response_types_supported = serializers.ListField(child=serializers.CharField())
    grant_types_supported = serializers.ListField(child=serializers.CharField())
    scopes_supported = serializers.ListField(child=serializers.CharField())
    token_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())
    revocation_endpoint_auth_methods_supported = serializers.ListField(
        child=serializers.CharField()
    )
    introspection_endpoint_auth_methods_supported = serializers.ListField(
        child=serializers.CharField()
    )


class CallerBody(serializers.Serializer[Fields]):
    type = serializers.ChoiceField(choices=["jwt", "session", "api_key"])
    username = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    role = serializers.CharField(required=False, allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField(required=False, allow_null=True)  # type: ignore[assignment]  # a field of that name


class MeBody(serializers.Serializer[Fields]):
    authenticated = serializers.BooleanField()
    user = CallerBody()


class MessageBody(serializers.Serializer[Fields]):
    message = serializers.CharField()
    user = serializers.CharField(required=False)


class Problem(serializers.Serializer[Fields]):
    detail = serializers.CharField()


class KeyBody(serializers.Serializer[Fields]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a field of that name
    rate_limit = serializers.CharField()
    signed_only = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_used = serializers.DateTimeField(allow_null=True)
    expires = serializers.DateTimeField(allow_null=True)


class KeyListBody(serializers.Serializer[Fields]):
    total = serializers.IntegerField()
    keys = KeyBody(many=True)


class NewKeyBody(KeyBody):
    api_key = serializers.CharField(help_text="Shown only once.")
    signing_secret = serializers.CharField(help_text="Signs requests; shown only once.")
    message = serializers.CharField()


class RotateBody(ExactSerializer[Fields]):
    overlap_hours = serializers.FloatField(min_value=0, max_value=24 * 90, default=24)


class KeyQuestion(ExactSerializer[Fields]):
    """A key to be made. `permissions` is the former word for `scopes`."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPE_WORDS),
        min_length=1,
        max_length=4,
        required=False,
    )
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPE_WORDS),
        min_length=1,
        max_length=4,
        required=False,
    )
    source = serializers.CharField(max_length=64, required=False, allow_null=True)  # type: ignore[assignment]  # a field of that name
    rate_limit = serializers.RegexField(
        rf"^{RATE.pattern}$",
        max_length=16,
        required=False,
        allow_blank=True,
        error_messages={"invalid": "must be requests/period such as 6000/m (s, m, h or d)"},
    )
    expires_in_days = serializers.IntegerField(
        min_value=SHORTEST_DAYS, max_value=LONGEST_DAYS, required=False, allow_null=True
    )
    signed_only = serializers.BooleanField(default=False)

    def validate_source(self, name: str | None) -> Source | None:
        if not name:
            return None
        found = Source.objects.filter(name=name).first()
        if found is None:
            raise serializers.ValidationError("There is no source with this name.")
        return found

    def validate(self, attrs: Fields) -> Fields:
        words = attrs.get("scopes") or attrs.get("permissions") or ["read"]
        wanted = Wanted(
            name=attrs["name"],
            scopes=scopes_from(words),
            source=attrs.get("source"),
            rate_limit=attrs.get("rate_limit", ""),
            days=attrs.get("expires_in_days"),
            signed_only=attrs["signed_only"],
        )
        try:
            ApiKey(name=wanted.name, scopes=" ".join(wanted.scopes), source=wanted.source).clean()
        except ModelError as error:
            raise serializers.ValidationError(error.message_dict) from None
        return {"wanted": wanted}


class AccessStatsBody(serializers.Serializer[Fields]):
    total_api_keys = serializers.IntegerField()
    total_users = serializers.IntegerField()
    revoked_tokens = serializers.IntegerField()
    signed_in = serializers.IntegerField()
    jwt_expiration_hours = serializers.FloatField()


def person(user: Any) -> Fields:
    """Return how a person is shown to clients."""
    role = role_of(user)
    return {
        "username": user.get_username(),
        "role": role.value if role else None,
        "permissions": list(PERMISSIONS[role]) if role else [],
    }


def token_body(pair: TokenPair) -> Fields:
    """Return the answer to a sign-in."""
    return {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "bearer",
        "expires_in": pair.seconds,
        "user": person(pair.user),
    }


def key_body(key: ApiKey) -> Fields:
    """Return how a key is shown to administrators."""
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "permissions": key.scopes.split(),
        "source": key.source.name if key.source else None,
        "rate_limit": key.rate_limit,
        "signed_only": key.signed_only,
        "created_at": key.created,
        "last_used": key.last_used,
        "expires": key.expires,
    }
