"""Good requests, everything that may be wrong with one, and what is looked at in an answer.

`{name}` stands for what each server knows by that name: its clients, and codes and tokens that are made when they are needed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from tests.web.oauth import CHALLENGE, REDIRECT_URI, VERIFIER

Pairs = tuple[tuple[str, str], ...]

FORM: Final = "application/x-www-form-urlencoded"
ASPECTS: Final = ("answer", "challenge", "kept", "members", "read by")
_CLIENT: Final = urlsplit(REDIRECT_URI).netloc


@dataclass(frozen=True)
class Made:
    """A request as it is sent."""

    query: str
    body: bytes | None
    headers: list[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A request, with places for what servers know.

    Args:
        name: Unique.
        query: Of the URL.
        form: Of the body; None where there is none.
        basic: Name and secret of the Authorization header.
        raw: The body and its type, in place of a form.
    """

    name: str
    method: str
    endpoint: str
    query: Pairs = ()
    form: Pairs | None = None
    basic: tuple[str, str] | None = None
    headers: Pairs = ()
    raw: tuple[str, str] | None = None

    def made(self, filled: Callable[[str], str]) -> Made:
        """The same for one server."""
        page = self.endpoint in {"authorize", "logout"}
        headers = [("Accept", "text/html" if page else "application/json")]
        headers += [(name, filled(value)) for name, value in self.headers]
        if self.basic is not None:
            told = ":".join(filled(part) for part in self.basic)
            headers.append(("Authorization", f"Basic {base64.b64encode(told.encode()).decode()}"))
        body = None
        if self.raw is not None:
            headers.append(("Content-Type", self.raw[0]))
            body = filled(self.raw[1]).encode()
        elif self.form is not None:
            headers.append(("Content-Type", FORM))
            body = urlencode([(name, filled(value)) for name, value in self.form]).encode()
        return Made(urlencode([(name, filled(value)) for name, value in self.query]), body, headers)

    def called(self, what: str, **changes: Any) -> Asked:
        """The same with something else about it."""
        return replace(self, name=f"{self.name}: {what}", **changes)

    @property
    def pairs(self) -> Pairs:
        """What it asks."""
        return self.query if self.form is None else self.form

    def asking(self, what: str, pairs: Pairs) -> Asked:
        """The same, asking something else."""
        return self.called(what, **{"query" if self.form is None else "form": pairs})


def seen_in(answer: httpx2.Response) -> dict[str, str]:
    """What of an answer both servers should agree on.

    How it is worded is left aside, and so is where pages of their own are.
    """
    kind = answer.headers.get("content-type", "").partition(";")[0]
    location = answer.headers.get("location")
    told: dict[str, Any] = {}
    answered = str(answer.status_code)
    if location is not None:
        away = urlsplit(location).netloc == _CLIENT
        parameters = parse_qs(urlsplit(location).query or urlsplit(location).fragment)
        told = {name: values[0] for name, values in parameters.items()} if away else {}
        answered = f"{answer.status_code} to {'the client' if away else 'a page'}"
    elif kind == "text/html":
        answered += " page"
    elif kind.endswith("json") and answer.content:
        told = answer.json()
    error = told.get("error", "")
    return {
        "answer": f"{answered} {error}".strip(),
        "challenge": _challenge(answer),
        "kept": "by nobody" if "no-store" in answer.headers.get("cache-control", "") else "perhaps",
        "read by": _readers(answer),
        "members": "" if error or not told else " ".join(sorted(told)),
    }


def _readers(answer: httpx2.Response) -> str:
    """Who may read it, where a script of another site has asked."""
    if "origin" not in answer.request.headers:
        return ""
    return "scripts of that site" if "access-control-allow-origin" in answer.headers else "no script"


def _challenge(answer: httpx2.Response) -> str:
    """The schemes of a challenge, each with its error."""
    told = []
    for value in answer.headers.get_list("www-authenticate"):
        scheme, _, rest = value.partition(" ")
        named = [
            part.partition("=")[2].strip('" ')
            for part in rest.split(",")
            if part.strip().startswith("error=")
        ]
        told.append(" ".join([scheme, *named]))
    return ", ".join(told)


def _each_field(good: Asked, wrong: str = "nothing-of-the-kind") -> Iterator[Asked]:
    for name in dict(good.pairs):
        rest = tuple(pair for pair in good.pairs if pair[0] != name)
        yield good.asking(f"without {name}", rest)
        yield good.asking(f"{name} is empty", (*rest, (name, "")))
        yield good.asking(f"{name} twice", (*good.pairs, (name, dict(good.pairs)[name])))
        yield good.asking(f"another {name}", (*rest, (name, wrong)))


def _with(good: Asked, *said: tuple[str, str]) -> Iterator[Asked]:
    for name, value in said:
        rest = tuple(pair for pair in good.pairs if pair[0] != name)
        yield good.asking(f"{name}={value[:40]}", (*rest, (name, value)))


def _carried(good: Asked) -> Iterator[Asked]:
    """Ways to carry a form, of which one is right."""
    form = good.form or ()
    whole = json.dumps(dict(form))
    yield good.called("by GET", method="GET", query=form, form=None)
    yield good.called("by PUT", method="PUT")
    yield good.called("in the query", query=form, form=())
    yield good.called("as JSON", raw=("application/json", whole))
    yield good.called("as JSON called a form", raw=(FORM, whole))
    yield good.called("as text", raw=("text/plain", urlencode(form)))
    yield good.called("nothing at all", form=None)
    yield good.called("one more field", form=(*form, ("more", "1")))
    yield good.called("one more field twice", form=(*form, ("more", "1"), ("more", "2")))
    yield good.called("from another origin", headers=(("Origin", "https://elsewhere.example"),))


def _proving(good: Asked) -> Iterator[Asked]:
    """Ways of a client to prove who it is, of which most are wrong."""
    form = good.form or ()
    posted = (("client_id", "{app}"), ("client_secret", "{secret}"))
    yield good.called("nobody", basic=None)
    yield good.called("a wrong secret", basic=("{app}", "wrong"))
    yield good.called("an empty secret", basic=("{app}", ""))
    yield good.called("an unknown client", basic=("cli_unknown", "{secret}"))
    yield good.called("another client", basic=("{other}", "{other secret}"))
    yield good.called("another's secret", basic=("{app}", "{other secret}"))
    yield good.called("no Base64", basic=None, headers=(("Authorization", "Basic !!!"),))
    yield good.called("no colon", basic=None, headers=(("Authorization", "Basic YWJj"),))
    yield good.called("a Bearer", basic=None, headers=(("Authorization", "Bearer abc"),))
    yield good.called("posted", basic=None, form=(*form, *posted))
    yield good.called("posted wrongly", basic=None, form=(*form, posted[0], ("client_secret", "wrong")))
    yield good.called("the name alone", basic=None, form=(*form, posted[0]))
    yield good.called("twice", form=(*form, *posted))
    yield good.called("its name again", form=(*form, posted[0]))
    yield good.called("another name too", form=(*form, ("client_id", "{other}")))
    yield good.called("an unknown name", basic=None, form=(*form, ("client_id", "cli_unknown")))
    yield good.called("an assertion", basic=None, form=(*form, ("client_assertion", "a.b.c")))


def _authorize() -> Iterator[Asked]:
    good = Asked(
        "authorize",
        "GET",
        "authorize",
        (
            ("client_id", "{app}"),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid read"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ),
    )
    yield good
    yield from _each_field(good)
    yield good.called("by POST", method="POST", form=good.query, query=())
    yield good.called("by PUT", method="PUT")
    yield from _with(
        good,
        *(("prompt", prompt) for prompt in ("none", "login", "consent", "none login", "nothing-of-the-kind")),
        *(("max_age", age) for age in ("0", "60", "-1", "old")),
        *(("response_mode", mode) for mode in ("query", "form_post", "fragment", "nothing-of-the-kind")),
        *(("response_type", kind) for kind in ("token", "id_token", "code token", "none")),
        *(
            ("redirect_uri", uri)
            for uri in (
                f"{REDIRECT_URI}/",
                f"{REDIRECT_URI}?a=b",
                f"{REDIRECT_URI}#a",
                f"{REDIRECT_URI}/../callback",
                REDIRECT_URI.upper(),
                REDIRECT_URI.replace("https", "http"),
                REDIRECT_URI.replace("shop.example", "shop.example@evil.example"),
                REDIRECT_URI.replace("shop.example", "shop.example.evil.example"),
                "javascript:alert(1)",
            )
        ),
        *(
            ("scope", scope)
            for scope in ("openid", "read", "openid nothing-of-the-kind", "openid  read", '"')
        ),
        ("code_challenge_method", "plain"),
        ("code_challenge", "short"),
        ("code_challenge", "!" * 43),
        ("client_id", "{public}"),
        ("id_token_hint", "a.b.c"),
        ("login_hint", "ada"),
        ("claims", "{"),
        ("claims", "[]"),
        ("claims", '{"userinfo":{"email":null}}'),
        ("resource", "https://elsewhere.example"),
        ("resource", "nothing-of-the-kind"),
        ("request", "a.b.c"),
        ("request_uri", "https://shop.example/request"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:unknown"),
        ("registration", "{}"),
        ("ui_locales", "xx-nothing"),
        ("display", "nothing-of-the-kind"),
        ("more", "1"),
    )
    plain = good.asking("no challenge", good.query[:-2])
    yield plain
    yield plain.asking("public", (("client_id", "{public}"), *plain.query[1:]))
    none = good.asking("nobody there", (*good.query, ("prompt", "none")))
    yield from _with(none, ("response_mode", "form_post"), ("response_mode", "query"), ("scope", "read"))


_APP: Final = ("{app}", "{secret}")


def _token() -> Iterator[Asked]:
    code = Asked(
        "code",
        "POST",
        "token",
        form=(
            ("grant_type", "authorization_code"),
            ("code", "{code app}"),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ),
        basic=_APP,
    )
    yield code
    yield from _each_field(code)
    yield from _proving(code)
    yield from _carried(code)
    yield from _with(
        code,
        ("code", "{code other}"),
        ("code", "{refresh app}"),
        ("code_verifier", VERIFIER[:-1]),
        ("code_verifier", "short"),
        ("redirect_uri", f"{REDIRECT_URI}/"),
        ("scope", "read"),
        ("scope", "openid write"),
        ("resource", "https://elsewhere.example"),
    )
    public = replace(code, name="code of a public client", basic=None)
    public = replace(public, form=tuple((name, value.replace("app", "public")) for name, value in code.pairs))
    public = replace(public, form=(*public.pairs, ("client_id", "{public}")))
    yield public
    yield from _with(public, ("client_secret", "any"), ("client_id", "{app}"), ("code", "{code app}"))
    yield public.called("by Basic", basic=("{public}", ""), form=public.pairs[:-1])
    refresh = Asked(
        "refresh",
        "POST",
        "token",
        form=(("grant_type", "refresh_token"), ("refresh_token", "{refresh app}")),
        basic=_APP,
    )
    yield refresh
    yield from list(_each_field(refresh))[4:]
    yield from _with(
        refresh,
        *(("scope", scope) for scope in ("read", "openid", "openid write", "nothing-of-the-kind")),
        ("refresh_token", "{refresh other}"),
        ("refresh_token", "{access app}"),
        ("refresh_token", "{code app}"),
        ("resource", "nothing-of-the-kind"),
    )
    yield refresh.called("nobody", basic=None)
    yield refresh.called("a wrong secret", basic=("{app}", "wrong"))
    yield refresh.called(
        "public",
        basic=None,
        form=(*refresh.pairs[:1], ("refresh_token", "{refresh public}"), ("client_id", "{public}")),
    )
    itself = Asked(
        "itself", "POST", "token", form=(("grant_type", "client_credentials"), ("scope", "read")), basic=_APP
    )
    yield itself
    yield from list(_each_field(itself))[4:]
    yield from _with(
        itself, ("scope", "openid"), ("scope", "read write"), ("resource", "nothing-of-the-kind")
    )
    yield itself.called("public", basic=None, form=(*itself.pairs, ("client_id", "{public}")))
    yield itself.called("nobody", basic=None)
    for grant in (
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "AUTHORIZATION_CODE",
    ):
        yield from _with(itself, ("grant_type", grant))


def _introspect() -> Iterator[Asked]:
    good = Asked("introspect", "POST", "introspect", form=(("token", "{access app}"),), basic=_APP)
    yield good
    yield from _each_field(good)
    yield from _proving(good)
    yield from _carried(good)
    yield from _with(
        good,
        ("token", "{refresh app}"),
        ("token", "{code app}"),
        ("token", "{access other}"),
        ("token_type_hint", "access_token"),
        ("token_type_hint", "refresh_token"),
        ("token_type_hint", "nothing-of-the-kind"),
    )


def _revoke() -> Iterator[Asked]:
    good = Asked("revoke", "POST", "revoke", form=(("token", "{access app}"),), basic=_APP)
    yield good
    yield from _each_field(good)
    yield from _proving(good)
    yield from _carried(good)
    yield from _with(
        good,
        ("token", "{refresh app}"),
        ("token", "{code app}"),
        ("token", "{access other}"),
        ("token_type_hint", "refresh_token"),
        ("token_type_hint", "nothing-of-the-kind"),
    )
    yield good.called("public", basic=None, form=(("token", "{access public}"), ("client_id", "{public}")))


def _par() -> Iterator[Asked]:
    good = Asked(
        "push",
        "POST",
        "par",
        form=(
            ("client_id", "{app}"),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid read"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ),
        basic=_APP,
    )
    yield good
    yield from _each_field(good)
    yield from list(_proving(good))[:8]
    yield from _carried(good)
    yield from _with(
        good,
        ("request_uri", "urn:ietf:params:oauth:request_uri:unknown"),
        ("request", "a.b.c"),
        ("response_mode", "fragment"),
        ("prompt", "none login"),
        ("max_age", "-1"),
        ("claims", "{"),
    )


def _userinfo() -> Iterator[Asked]:
    good = Asked("userinfo", "GET", "userinfo", headers=(("Authorization", "Bearer {access app}"),))
    yield good
    for scheme in ("bearer", "Basic", "DPoP", "Nothing"):
        yield good.called(f"by {scheme}", headers=(("Authorization", f"{scheme} {{access app}}"),))
    for what in ("", "wrong", "{refresh app}", "{code app}", "{access app} more"):
        yield good.called(f"Bearer {what}", headers=(("Authorization", f"Bearer {what}".strip()),))
    yield good.called("nobody", headers=())
    yield good.called("by POST", method="POST")
    yield good.called("by POST with a form", method="POST", form=(("more", "1"),))
    yield good.called("by PUT", method="PUT")
    yield good.called("in the query", headers=(), query=(("access_token", "{access app}"),))
    yield good.called("in the form", method="POST", headers=(), form=(("access_token", "{access app}"),))
    yield good.called("in both", query=(("access_token", "{access app}"),))
    yield good.called("from another origin", headers=(*good.headers, ("Origin", "https://elsewhere.example")))


def _register() -> Iterator[Asked]:
    said: dict[str, Any] = {"client_name": "Shop", "redirect_uris": [REDIRECT_URI]}
    good = Asked("register", "POST", "register", raw=("application/json", ""))

    def saying(what: str, **changes: Any) -> Asked:
        body = {name: value for name, value in {**said, **changes}.items() if value is not ...}
        return good.called(what, raw=("application/json", json.dumps(body)))

    yield saying("as it should be")
    wrong: Sequence[tuple[str, Any]] = (
        ("redirect_uris", ...),
        ("redirect_uris", []),
        ("redirect_uris", "https://shop.example"),
        ("redirect_uris", ["nothing-of-the-kind"]),
        ("redirect_uris", ["javascript:alert(1)"]),
        ("redirect_uris", [f"{REDIRECT_URI}#a"]),
        ("redirect_uris", ["http://shop.example/callback"]),
        ("redirect_uris", [1]),
        ("client_name", ...),
        ("client_name", 1),
        ("grant_types", ["nothing-of-the-kind"]),
        ("grant_types", ["implicit"]),
        ("grant_types", "authorization_code"),
        ("response_types", ["token"]),
        ("response_types", ["nothing-of-the-kind"]),
        ("token_endpoint_auth_method", "none"),
        ("token_endpoint_auth_method", "client_secret_post"),
        ("token_endpoint_auth_method", "nothing-of-the-kind"),
        ("token_endpoint_auth_method", "private_key_jwt"),
        ("jwks_uri", "nothing-of-the-kind"),
        ("jwks", {"keys": "none"}),
        ("logo_uri", "javascript:alert(1)"),
        ("subject_type", "nothing-of-the-kind"),
        ("id_token_signed_response_alg", "none"),
        ("id_token_signed_response_alg", "HS512"),
        ("default_max_age", -1),
        ("more", 1),
        ("scope", "nothing-of-the-kind"),
        ("post_logout_redirect_uris", ["nothing-of-the-kind"]),
        ("contacts", "ada@example.com"),
    )
    for name, value in wrong:
        yield saying(
            f"{name} {'left out' if value is ... else json.dumps(value)}".translate({91: 40, 93: 41}),
            **{name: value},
        )
    for kind, body in (("application/json", "{"), ("application/json", "[]"), ("application/json", "")):
        yield good.called(f"the body {body!r}".translate({91: 40, 93: 41}), raw=(kind, body))
    yield good.called("a form", raw=None, form=(("redirect_uris", REDIRECT_URI),))
    yield good.called("by GET", method="GET", raw=None)
    yield good.called("by PUT", method="PUT")
    yield replace(saying("by a wrong token"), headers=(("Authorization", "Bearer wrong"),))


def _described() -> Iterator[Asked]:
    for name in ("configuration", "jwks"):
        good = Asked(name, "GET", name)
        yield good
        yield good.called("by HEAD", method="HEAD")
        yield good.called("by POST", method="POST", form=())
        yield good.called("with a query", query=(("a", "b"),))
        yield good.called("from another origin", headers=(("Origin", "https://elsewhere.example"),))


def _logout() -> Iterator[Asked]:
    good = Asked("logout", "GET", "logout")
    goodbye = ("post_logout_redirect_uri", "https://shop.example/goodbye")
    yield good
    yield good.called("by POST", method="POST", form=())
    yield good.called("by PUT", method="PUT")
    yield from _with(
        good,
        ("id_token_hint", "a.b.c"),
        ("client_id", "{app}"),
        ("client_id", "cli_unknown"),
        goodbye,
        ("state", "s"),
        ("logout_hint", "ada"),
        ("more", "1"),
    )
    back = good.asking("back", (("client_id", "{app}"), goodbye))
    yield back
    yield back.asking("elsewhere", (("client_id", "{app}"), (goodbye[0], "https://evil.example/")))
    yield back.asking("with a slash", (("client_id", "{app}"), (goodbye[0], f"{goodbye[1]}/")))
    yield back.asking("twice", (*back.query, goodbye))
    yield back.asking("of another", (("client_id", "cli_unknown"), goodbye))


def _device() -> Iterator[Asked]:
    good = Asked("device", "POST", "device", form=(("scope", "read"),), basic=_APP)
    yield good.called("not allowed")
    yield good.called("nobody", basic=None)
    yield good.called("a wrong secret", basic=("{app}", "wrong"))


REQUESTS: Final = tuple(
    asked
    for makes in (
        _authorize,
        _token,
        _introspect,
        _revoke,
        _par,
        _userinfo,
        _register,
        _described,
        _logout,
        _device,
    )
    for asked in makes()
)
