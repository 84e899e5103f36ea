"""Settings of sign-in and access, from the environment."""

import hashlib
import hmac
from datetime import timedelta

from guardian_site import environment as env


def jwt_keys(secret_key: str) -> list[str]:
    """Return the keys that sign tokens: those of GUARDIAN_JWT_KEYS, else made of the secret keys.

    Raises
    ------
    env.SettingError
        If one of them can be guessed.
    """
    keys = env.secret_list("GUARDIAN_JWT_KEYS")
    return keys or [
        hmac.new(one.encode(), b"guardian.jwt", hashlib.sha256).hexdigest()
        for one in (secret_key, *SECRET_KEY_FALLBACKS)
    ]


ACCESS_APPS = (
    "axes",
    "auditlog",
    "django_otp",
    "guardian_site.access.apps.SecondFactorConfig",
    "guardian_site.access",
)

# Former values of the secret key, still accepted in sign-ins, sessions, links and signed requests,
# so that it can be changed.
SECRET_KEY_FALLBACKS = env.secret_list("GUARDIAN_OLD_SECRET_KEYS")

AUTHENTICATION_BACKENDS = [
    # First, so that whoever is locked out gets no further.
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian_site.access.backends.RolePermissions",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "guardian_site.access.passwords.NotPublished"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "live"

# An outside provider (OpenID Connect) by which people sign in; off while no client id is set.
GUARDIAN_OIDC_NAME = env.text("GUARDIAN_OIDC_NAME", "the company account")
GUARDIAN_OIDC_ISSUER = env.address("GUARDIAN_OIDC_ISSUER")
GUARDIAN_OIDC_ROLES_CLAIM = env.text("GUARDIAN_OIDC_ROLES_CLAIM", "groups")
GUARDIAN_OIDC_ROLES = {
    role: frozenset(env.names(f"GUARDIAN_OIDC_{role.upper()}S"))
    for role in ("viewer", "operator", "admin")
}
OIDC_RP_CLIENT_ID = env.text("GUARDIAN_OIDC_CLIENT_ID")
OIDC_RP_CLIENT_SECRET = env.text("GUARDIAN_OIDC_CLIENT_SECRET")
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = env.text("GUARDIAN_OIDC_SCOPES", "openid email profile")
OIDC_OP_AUTHORIZATION_ENDPOINT = env.address("GUARDIAN_OIDC_AUTHORIZATION_URL")
OIDC_OP_TOKEN_ENDPOINT = env.address("GUARDIAN_OIDC_TOKEN_URL")
OIDC_OP_USER_ENDPOINT = env.address("GUARDIAN_OIDC_USER_URL")
OIDC_OP_JWKS_ENDPOINT = env.address("GUARDIAN_OIDC_KEYS_URL")
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10
LOGIN_REDIRECT_URL_FAILURE = "/login"
if OIDC_RP_CLIENT_ID:
    AUTHENTICATION_BACKENDS.append("guardian_site.access.outside.OutsideSignIn")

# How long an access token is valid [minutes]; the refresh token that comes with it gets the next.
GUARDIAN_TOKEN_MINUTES = env.whole("GUARDIAN_TOKEN_MINUTES", 15, 1, 24 * 60)

# A browser's session ends after a working day, and with the browser.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "guardian_session"
CSRF_COOKIE_NAME = "guardian_csrf"

# Five failures from one address lock that address out of that account, not its owner elsewhere.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_HTTP_RESPONSE_CODE = 429
AXES_WHITELIST_CALLABLE = "guardian_site.access.locking.guesses_nobody"
AXES_CLIENT_IP_CALLABLE = "guardian_site.web.client_address.client_address"
AXES_LOCKOUT_CALLABLE = "guardian_site.access.locking.locked_out"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

OTP_TOTP_ISSUER = "Transaction Guardian"

# guardian_site.access.auditing notes the address itself, and believes trusted proxies only.
AUDITLOG_DISABLE_REMOTE_ADDR = True
# A batch of 10,000 reports, the largest body that anybody sends (LARGEST_BODY in
# ingest.parsing.bodies); the limit of each route is in guardian_site.access.rules.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
