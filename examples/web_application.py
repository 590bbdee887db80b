"""A web application that people log in to through Bonafides: OpenID Connect in one file, with nothing but Python.

Start it with CLIENT_ID and CLIENT_SECRET in the environment, and open http://127.0.0.1:9000. Your own would rather use a
library; each one that knows OpenID Connect takes these steps when it is given the issuer, the id and the secret.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import secrets
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8000")
PORT = int(os.environ.get("PORT", "9000"))
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
HERE = f"http://127.0.0.1:{PORT}"

sessions: dict[str, dict[str, Any]] = {}
"""What is known of each browser, by its cookie: first what it was sent away with, and then who has come back."""


def asked(url: str, form: dict[str, str] | None = None, authorization: str = "") -> Any:
    """The JSON of an answer."""
    body = urlencode(form).encode() if form is not None else None
    with urlopen(Request(url, body, {"Authorization": authorization}), timeout=10) as answer:
        return json.load(answer)


def endpoint(name: str) -> str:
    """Where something is, as the server says itself."""
    metadata = asked(f"{ISSUER}/.well-known/openid-configuration")
    return str(metadata[name])


def login(session: dict[str, Any]) -> str:
    """Where a browser is sent to log in. Only who keeps the verifier can redeem what it brings back (PKCE)."""
    session["state"], session["verifier"] = secrets.token_urlsafe(), secrets.token_urlsafe(48)
    digest = hashlib.sha256(session["verifier"].encode()).digest()
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{HERE}/callback",
        "scope": "openid profile email",
        "state": session["state"],
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{endpoint('authorization_endpoint')}?{urlencode(query)}"


def come_back(session: dict[str, Any], told: dict[str, str]) -> None:
    """Redeem the code that a browser has brought, if this is its own answer from this server; ask who it is."""
    if told.get("state") != session.pop("state", None) or told.get("iss") != ISSUER or "code" not in told:
        raise PermissionError(told.get("error_description", "This answer is not to a question of ours."))
    proof = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    form = {
        "grant_type": "authorization_code",
        "code": told["code"],
        "redirect_uri": f"{HERE}/callback",
        "code_verifier": session.pop("verifier"),
    }
    tokens = asked(endpoint("token_endpoint"), form, f"Basic {proof}")
    session["id_token"] = tokens["id_token"]
    session["person"] = asked(endpoint("userinfo_endpoint"), authorization=f"Bearer {tokens['access_token']}")


def logout(session: dict[str, Any]) -> str:
    """Where a browser is sent to log out there, too; it comes back here."""
    query = {"id_token_hint": session["id_token"], "post_logout_redirect_uri": f"{HERE}/"}
    session.clear()
    return f"{endpoint('end_session_endpoint')}?{urlencode(query)}"


class Application(BaseHTTPRequestHandler):
    """Three addresses and a page."""

    def do_GET(self) -> None:
        """Answer."""
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        cookie = morsel.value if morsel is not None and morsel.value in sessions else secrets.token_urlsafe()
        session = sessions.setdefault(cookie, {})
        parts = urlsplit(self.path)
        told = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            if parts.path == "/login":
                self.answer(303, cookie, Location=login(session))
            elif parts.path == "/callback":
                come_back(session, told)
                # Another cookie than before: who had put the old one into this browser is not logged in with it.
                fresh = secrets.token_urlsafe()
                sessions[fresh] = sessions.pop(cookie)
                self.answer(303, fresh, Location="/")
            elif parts.path == "/logout" and "person" in session:
                self.answer(303, cookie, Location=logout(session))
            else:
                self.answer(200, cookie, page(session))
        except PermissionError as error:
            self.answer(403, cookie, html.escape(str(error)))

    def answer(self, status: int, cookie: str, body: str = "", **headers: str) -> None:
        """Send it."""
        self.send_response(status)
        self.send_header("Set-Cookie", f"session={cookie}; HttpOnly; SameSite=Lax; Path=/")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())


def page(session: dict[str, Any]) -> str:
    """What somebody sees."""
    if "person" not in session:
        return '<!doctype html><title>Shop</title><p>Nobody is logged in. <a href="/login">Log in</a></p>'
    name = html.escape(session["person"]["email"])
    return f'<!doctype html><title>Shop</title><p>Hello, {name}. <a href="/logout">Log out</a></p>'


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", PORT), Application) as server:
        print(f"The shop is open: {HERE}", flush=True)
        server.serve_forever()
