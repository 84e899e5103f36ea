"""A small OpenID provider on this machine, which can also be told to cheat."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "guardian", "what the client and the provider share"


class Provider:
    """Signs in whoever `claims` says; `token`, `told` and `odd` change what it answers."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = ""
        self.claims: dict[str, Any] = {"sub": "42", "preferred_username": "ana", "groups": []}
        self.token: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.signs_with = self.key
        self.odd: dict[str, Any] = {}
        self.asked: dict[str, str] = {}
        self.nonce = self.challenge = ""

    @property
    def issuer(self) -> str:
        return f"{self.url}/realm"

    def settings(self) -> dict[str, Any]:
        return {
            "GUARDIAN_OIDC_ISSUER": self.issuer,
            "OIDC_RP_CLIENT_ID": CLIENT,
            "OIDC_RP_CLIENT_SECRET": SECRET,
            "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{self.url}/authorise",
            "OIDC_OP_TOKEN_ENDPOINT": f"{self.url}/token",
            "OIDC_OP_USER_ENDPOINT": f"{self.url}/user",
            "OIDC_OP_JWKS_ENDPOINT": f"{self.url}/keys",
        }

    def keys(self) -> dict[str, Any]:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": "one", "alg": "RS256", "use": "sig"}]}

    def tokens(self, asked: dict[str, str]) -> dict[str, Any]:
        self.asked = asked
        now = int(time.time())
        times = {"iat": now, "exp": now + 60}
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": self.claims["sub"], **times}
        claims |= {"nonce": self.nonce, **self.token}
        signed = jwt.encode(claims, self.signs_with, algorithm="RS256", headers={"kid": "one"})
        return {"access_token": "opaque", "id_token": signed, "token_type": "Bearer"}

    def answer(self, path: str, body: str) -> Any:
        if path in self.odd:
            return self.odd[path]
        if path == "/token":
            return self.tokens({name: values[0] for name, values in parse_qs(body).items()})
        return self.keys() if path == "/keys" else {**self.claims, **self.told}


def challenge_of(verifier: str) -> str:
    """Compute what PKCE sends ahead of a verifier (RFC 7636, S256)."""
    import hashlib

    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider while the block lasts."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            found = provider.answer(urlsplit(self.path).path, self.rfile.read(length).decode())
            content = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
