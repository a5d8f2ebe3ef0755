"""A small real OpenID Connect server on loopback: discovery, authorisation code with PKCE, token, user info, keys.

Who comes in is set beforehand: `server.person = {"sub": ..., "email": ..., "email_verified": True, "name": ...}`.
Source: OpenID Connect Core 1.0, RFC 6749, RFC 7636.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "postroom", "a secret of the test"


class OidcServer:
    """`with OidcServer() as server: server.url`"""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        #: What was asked, newest last: ("authorize" | "token" | "userinfo", its values).
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> "OidcServer":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }

    def keys(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**key, "kid": "1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent: this person is signed in here and agrees to everything."""
        self.asked.append(("authorize", query))
        if query.get("client_id") != CLIENT or query.get("response_type") != "code":
            raise ValueError("client_id")
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        self.asked.append(("token", form))
        query = self._codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            query is None
            or form.get("client_secret") != SECRET
            or form.get("redirect_uri") != query["redirect_uri"]
            or proof.rstrip(b"=").decode() != query.get("code_challenge")
        ):
            raise ValueError("invalid_grant")
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, **self.person}
        access = secrets.token_urlsafe(16)
        self._tokens.add(access)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"}),
        }

    def userinfo(self, header: str) -> dict[str, Any]:
        self.asked.append(("userinfo", {}))
        if header.removeprefix("Bearer ") not in self._tokens:
            raise ValueError("invalid_token")
        return self.person


def _handler(server: OidcServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            try:
                if parts.path == "/authorize":
                    return self._go(server.authorize(query))
                answers: dict[str, Callable[[], dict[str, Any]]] = {
                    "/.well-known/openid-configuration": server.discovery,
                    "/keys": server.keys,
                }
                if parts.path == "/userinfo":
                    return self._say(200, server.userinfo(self.headers.get("Authorization", "")))
                self._say(200, answers[parts.path]())
            except (KeyError, ValueError) as error:
                self._say(400, {"error": str(error)})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            try:
                self._say(200, server.token(form))
            except ValueError as error:
                self._say(400, {"error": str(error)})

        def _go(self, where: str) -> None:
            self.send_response(302)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _say(self, status: int, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
