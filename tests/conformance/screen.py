"""The suite's scripted browser, as far as our configurations use it: what a plan says is done on our very pages.

See: `frontchannel` in the source of the suite
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from tests.pages.browsing import Form, Read
from tests.pages.clients import target_of

Json = dict[str, Any]

STEPS_MAX = 10
PICTURE = "update-image-placeholder"


@dataclass
class Screen:
    """A browser of one module: its cookies stay, and what was pictured is known.

    Args:
        client: Sends requests to the server under test.
        url: Of that server.
        suite: Of the suite, where answers go.
        steps: `browser` of the configuration, or of what overrides it for the module.
    """

    client: httpx2.Client
    url: str
    suite: str
    steps: list[Json]
    pictures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let limits be used up."""
        self.steps = copy.deepcopy(self.steps)

    def go(self, url: str) -> dict[str, str]:
        """Send the browser somewhere; what it brings to the suite, nothing where it stays with us."""
        tasks = self._tasks_for(url)
        here, read = self._opened("GET", url)
        for task in tasks:
            if not _fits(task.get("match", "*"), here):
                assert task.get("optional"), f"{task['task']}: {here}: {read and read.words}"
                continue
            for command in task.get("commands", ()):
                if here.startswith(self.suite):
                    assert command[0] == "wait", command
                    continue
                assert read is not None
                here, read = self._done(command, here, read)
        return dict(parse_qsl(urlsplit(here).query)) if here.startswith(self.suite) else {}

    def _tasks_for(self, url: str) -> list[Json]:
        for steps in self.steps:
            limit = steps.get("match-limit")
            if not _fits(steps["match"], url) or limit == 0:
                continue
            if limit is not None:
                steps["match-limit"] = limit - 1
            tasks: list[Json] = steps["tasks"]
            return tasks
        message = f"nothing is said of {url}"
        raise AssertionError(message)

    def _done(self, command: list[Any], here: str, read: Read) -> tuple[str, Read | None]:
        """One command on a page of ours."""
        match command:
            case ["wait", "xpath", "//*", _, words, kind]:
                assert re.search(words, read.words), f"{words}: {read.words}"
                assert kind.startswith(PICTURE), kind
                self.pictures.append(words)
            case ["text", "name", name, value]:
                (form,) = (form for form in read.forms if name in form.fields)
                form.fields[name] = value
            case ["click", "css", selector, *optional]:
                clicked = _clicked(selector, read)
                if clicked is None:
                    assert optional == ["optional"], f"{selector}: {read.words}"
                    return here, read
                form, more = clicked
                return self._opened("POST", urljoin(here, form.action), {**form.fields, **more})
            case _:
                message = f"not a command: {command}"
                raise AssertionError(message)
        return here, read

    def _opened(self, method: str, url: str, form: dict[str, str] | None = None) -> tuple[str, Read | None]:
        """Where a request leads in the end; a page of the suite is not read."""
        for _ in range(STEPS_MAX):
            if url.startswith(self.suite):
                query = "&".join(f"{name}={value}" for name, value in (form or {}).items())
                return (f"{url}?{query}" if form else url), None
            answer = self.client.request(method, url, data=form, headers={"Origin": self.url})
            assert answer.status_code < 500, answer.text
            read = None if answer.headers.get("location") else Read(answer)
            onward = answer.headers.get("location") if read is None else target_of(read)
            if onward is None:
                return url, read
            method, url, form = "GET", urljoin(url, onward), None
        message = f"{url} leads nowhere"
        raise AssertionError(message)


def _clicked(selector: str, read: Read) -> tuple[Form, dict[str, str]] | None:
    """The form that a click sends, and what the button adds."""
    decision = re.fullmatch(r"button\[name='decision'\]\[value='(\w+)'\]", selector)
    action = re.fullmatch(r"form\[action='([^']+)'\] button", selector)
    for form in read.forms:
        if decision is not None and f"decision={decision[1]}" in form.buttons:
            return form, {"decision": decision[1]}
        if action is not None and form.action == action[1]:
            return form, {}
        if selector == "form[data-submits] button" and form.action.startswith("https://"):
            return form, {}
    return None


def _fits(pattern: str, url: str) -> bool:
    """As Spring's `PatternMatchUtils.simpleMatch` has it."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), url) is not None
