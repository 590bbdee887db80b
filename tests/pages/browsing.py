"""A person who reads pages and fills in forms, as a browser without scripts would."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

import httpx2
from typing_extensions import override

from tests.serving import RunningServer
from tests.web.people import Person, person
from tests.web.tenancy import Tenancy

VOID: Final = frozenset({"meta", "link", "br", "hr", "img", "input"})


@dataclass
class Form:
    """A form of a page, with what is filled in."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    """Unticked boxes, with the values that they would send."""
    buttons: list[str] = field(default_factory=list)


class Read(HTMLParser):
    """A page as it is read: its forms, its links and its words."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.answer = answer
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.codes: list[str] = []
        self._open: list[str] = []
        self._choice: str | None = None
        self._area: str | None = None
        self._form: Form | None = None
        self.feed(answer.text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), f"an attribute of <{tag}> is there twice"
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a":
            self.links.append(given["href"])
        elif tag == "code":
            self.codes.append("")
        elif tag == "form":
            assert self._form is None, "a form in a form"
            self._form = Form(given.get("method", "get"), given["action"])
            self.forms.append(self._form)
        elif self._form is not None:
            self._fill_in(self._form, tag, given)

    def _fill_in(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name")
        match tag:
            case "input" if given.get("type") in {"checkbox", "radio"}:
                ticked = form.fields if "checked" in given else form.boxes
                ticked[name or ""] = given.get("value", "on")
            case "input" | "textarea" if name is not None:
                form.fields[name] = given.get("value", "")
                self._area = name if tag == "textarea" else None
            case "select":
                self._choice = name
            case "option" if self._choice is not None:
                if "selected" in given or self._choice not in form.fields:
                    form.fields[self._choice] = given["value"]
            case "button" if name is not None:
                form.buttons.append(f"{name}={given['value']}")

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another tag"
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._choice = None
        elif tag == "textarea":
            self._area = None

    @override
    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in {"script", "style"}:
            self.words += data
        if self._form is not None and self._area is not None:
            self._form.fields[self._area] += data
        if "code" in self._open:
            self.codes[-1] += data

    @property
    def status(self) -> int:
        """Of the answer."""
        return self.answer.status_code

    def form(self, action: str) -> Form:
        """The one form that leads there; that which changes something, where another one only searches."""
        found = [form for form in self.forms if urlsplit(form.action).path == action]
        found = [form for form in found if form.method == "post"] or found
        assert len(found) == 1, f"{len(found)} forms lead to {action}: {[form.action for form in self.forms]}"
        return found[0]


class Browser:
    """A browser without scripts: cookies, forms, redirects, and what it says of where a request comes from.

    Args:
        server: That it visits.
    """

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}
        self._client = server.client()
        # Guesses are counted by address, and each browser has one of its own.
        self._client.headers["X-Forwarded-For"] = str(
            ipaddress.IPv4Address(secrets.randbits(24) + (10 << 24))
        )
        self._client.headers |= {
            "Accept": "text/html,application/xhtml+xml",
            "User-Agent": "Browser of the tests",
        }

    def send(
        self, method: str, path: str, form: dict[str, str] | None = None, *, site: str = "same-origin"
    ) -> httpx2.Response:
        """One request and its answer, wherever that leads."""
        headers = {"Sec-Fetch-Site": site}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self._client.request(method, path, data=form, headers=headers)
        for text in answer.headers.get_list("set-cookie"):
            self._keep(text)
        return answer

    def _keep(self, text: str) -> None:
        pair, *attributes = [part.strip() for part in text.split(";")]
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} <= set(attributes), text
        name, _, value = pair.partition("=")
        assert name.startswith("__Host-")
        if "Max-Age=0" in attributes:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def get(self, path: str) -> Read:
        """A page, at the end of all redirects."""
        return self._follow(self.send("GET", path))

    def submit(self, form: Form, **fields: str) -> Read:
        """Send a form, with these fields filled in, and read what comes of it."""
        filled = {**form.fields, **{name.replace("__", ":"): value for name, value in fields.items()}}
        if form.method == "get":
            return self._follow(self._client_get(form.action, filled))
        return self._follow(self.send("POST", form.action, filled))

    def _client_get(self, path: str, query: dict[str, str]) -> httpx2.Response:
        return self.send("GET", f"{path}?{httpx2.QueryParams(query)}")

    def _follow(self, answer: httpx2.Response) -> Read:
        for _ in range(5):
            if answer.status_code != 303:
                break
            location = answer.headers["location"]
            assert location.startswith("/"), location
            assert not location.startswith("//"), location
            answer = self.send("GET", location)
        return Read(answer)

    def sign_in(self, who: Person, path: str = "/login", **changes: str) -> Read:
        """Sign in on the page for it."""
        fields = {"username": who.email, "password": who.password, "tenant_id": who.tenant_id, **changes}
        return self.submit(self.get(path).form("/login"), **fields)


def visitor(tenancy: Tenancy, role: str = "member") -> Browser:
    """A browser in which a new person has signed in."""
    browser = Browser(tenancy.server)
    read = browser.sign_in(person(tenancy, role))
    assert read.status == 200, read.words
    return browser
