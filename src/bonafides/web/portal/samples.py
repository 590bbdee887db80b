"""Samples: one request, written as cURL, JavaScript, Python and Go would send it to this very server.

What a sample needs of its reader, it reads from the environment: a key that is copied into a program stays in it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from types import MappingProxyType
from typing import Any, Final

KEY: Final = "BONAFIDES_KEY"
CLIENT: Final = ("CLIENT_ID", "CLIENT_SECRET")

_VARIABLE: Final = re.compile(r"\$([A-Z_]+)")
_WHOLE: Final = re.compile(r"\$[A-Z_]+")


@dataclass(frozen=True, slots=True)
class Sample:
    """One request, and what is shown of its answer.

    Args:
        method: Of HTTP.
        path: Below the base URL; `$NAME` stands for a variable of the environment, here and in the values.
        credential: The variable that holds what is presented as a bearer token; empty for none.
        body: JSON; None for none.
        form: Sent as a form, with a client's id and secret as HTTP Basic; None for none.
        shows: Headers that are printed in place of the body.
    """

    method: str
    path: str
    credential: str = KEY
    body: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    shows: Sequence[str] = ()

    def variables(self) -> list[str]:
        """What the environment has to hold, in the order of its use."""
        told = json.dumps([self.path, self.body, self.form])
        names = [*_VARIABLE.findall(told), *([self.credential] if self.credential else [])]
        return list(dict.fromkeys([*names, *(CLIENT if self.form is not None else ())]))


SAMPLES: Final[Mapping[str, Sample]] = MappingProxyType(
    {
        "use a key": Sample("GET", "/v1/auth/verify"),
        "make a key": Sample(
            "POST",
            "/v1/api-keys",
            body={"name": "Nightly export", "scopes": ["read"], "expires_in": 2_592_000},
        ),
        "check a key": Sample(
            "POST", "/v1/credentials/verify", body={"credential": "$PRESENTED", "scope": "read"}
        ),
        "rotate a key": Sample("POST", "/v1/api-keys/$KEY_ID/rotate", body={"overlap_seconds": 3_600}),
        "exchange a key": Sample(
            "POST", "/bim/apikey/authenticate", credential="", body={"apikey": "$BONAFIDES_KEY"}
        ),
        "make a personal token": Sample(
            "POST",
            "/v1/personal-access-tokens",
            body={"description": "Backup script", "scopes": ["read"], "expires_in": 2_592_000},
        ),
        "get a client's token": Sample(
            "POST", "/oauth/token", credential="", form={"grant_type": "client_credentials"}
        ),
        "log in": Sample(
            "POST",
            "/v1/auth/login",
            credential="",
            body={"username": "$BONAFIDES_USER", "password": "$BONAFIDES_PASSWORD"},
        ),
        "fetch the key set": Sample("GET", "/.well-known/jwks.json", credential=""),
        "see what is left": Sample(
            "GET", "/v1/auth/verify", shows=("X-RateLimit-Limit", "X-RateLimit-Remaining")
        ),
    }
)


def curl(sample: Sample, base_url: str) -> str:
    """The request as a command of a shell."""
    words = ["curl" if sample.method == "GET" else f"curl -X {sample.method}"]
    if sample.shows:
        words[0] += " -i"
    words[0] += (
        f' "{base_url}{sample.path}"' if "$" in sample.path else f" {shlex.quote(base_url + sample.path)}"
    )
    if sample.credential:
        words.append(f'-H "Authorization: Bearer ${sample.credential}"')
    if sample.form is not None:
        words.append('-u "$CLIENT_ID:$CLIENT_SECRET"')
        words += [f"-d {name}={value}" for name, value in sample.form.items()]
    if sample.body is not None:
        words.append("-H 'Content-Type: application/json'")
        # A variable stands outside the single quotes, and inside double ones of its own.
        text = shlex.quote(json.dumps(sample.body))
        words.append("-d " + _VARIABLE.sub(lambda match: f"'\"${match[1]}\"'", text))
    return " \\\n  ".join(words)


def javascript(sample: Sample, base_url: str) -> str:
    """The request as Node.js 18 or later sends it, in a module."""
    options, headers = [], []
    if sample.method != "GET":
        options.append(f"method: {json.dumps(sample.method)},")
    if sample.credential:
        headers.append(f'"Authorization": `Bearer ${{process.env.{sample.credential}}}`,')
    if sample.form is not None:
        pair = ":".join(f"${{process.env.{name}}}" for name in CLIENT)
        headers.append(f'"Authorization": "Basic " + btoa(`{pair}`),')
    if sample.body is not None:
        headers.append('"Content-Type": "application/json",')
    if headers:
        options += ["headers: {", *(f"  {header}" for header in headers), "},"]
    if sample.form is not None:
        options.append(f"body: new URLSearchParams({_script(sample.form)}),")
    if sample.body is not None:
        options.append(f"body: JSON.stringify({_script(sample.body)}),")
    url = _template(base_url + sample.path)
    told = indent("\n".join(options), "  ")
    call = f"fetch({url}, {{\n{told}\n}})" if options else f"fetch({url})"
    lines = [
        f"const answer = await {call};",
        "const body = await answer.json();",
        "if (!answer.ok) throw new Error(`${body.error}: ${body.message}`);",
    ]
    lines += [f'console.log("{name}:", answer.headers.get("{name}"));' for name in sample.shows]
    if not sample.shows:
        lines.append("console.log(JSON.stringify(body, null, 2));")
    return "\n".join(lines)


def python(sample: Sample, base_url: str) -> str:
    """The request as the library `requests` sends it."""
    reads = bool(sample.variables())
    url = json.dumps(base_url + sample.path)
    if "$" in sample.path:
        url = "f" + _VARIABLE.sub(lambda match: f"{{os.environ['{match[1]}']}}", url)
    arguments = [f"{url},"]
    if sample.credential:
        arguments.append(f'headers={{"Authorization": f"Bearer {{os.environ[\'{sample.credential}\']}}"}},')
    if sample.form is not None:
        arguments += [
            f"auth=({', '.join(_literal(f'${name}') for name in CLIENT)}),",
            f"data={_literal(sample.form)},",
        ]
    if sample.body is not None:
        arguments.append(f"json={_literal(sample.body)},")
    arguments.append("timeout=10,")
    imports = ["import json"] if not sample.shows else []
    imports += ["import os"] if reads else []
    lines = [*imports, "", "import requests", "", f"answer = requests.{sample.method.lower()}("]
    lines += [indent("\n".join(arguments), "    "), ")", "answer.raise_for_status()"]
    lines += [f'print("{name}:", answer.headers["{name}"])' for name in sample.shows]
    if not sample.shows:
        lines.append("print(json.dumps(answer.json(), indent=2))")
    return "\n".join(lines)


def go(sample: Sample, base_url: str) -> str:
    """The request as Go's standard library sends it."""
    packages = {"fmt", "log", "net/http"}
    lines, payload = [], "nil"
    if sample.body is not None:
        packages |= {"bytes", "encoding/json"}
        lines += [f"body, err := json.Marshal({_composite(sample.body)})", *_FAIL]
        payload = "bytes.NewReader(body)"
    if sample.form is not None:
        packages |= {"net/url", "strings"}
        pairs = ", ".join(
            f"{json.dumps(name)}: {{{json.dumps(value)}}}" for name, value in sample.form.items()
        )
        lines.append(f"form := url.Values{{{pairs}}}")
        payload = "strings.NewReader(form.Encode())"
    url = _joined(base_url + sample.path)
    lines += [f"request, err := http.NewRequest({json.dumps(sample.method)}, {url}, {payload})", *_FAIL]
    if sample.credential:
        lines.append(
            f'request.Header.Set("Authorization", "Bearer "+os.Getenv({json.dumps(sample.credential)}))'
        )
    if sample.form is not None:
        lines.append(f"request.SetBasicAuth({', '.join(_composite(f'${name}') for name in CLIENT)})")
        lines.append('request.Header.Set("Content-Type", "application/x-www-form-urlencoded")')
    if sample.body is not None:
        lines.append('request.Header.Set("Content-Type", "application/json")')
    lines += ["answer, err := http.DefaultClient.Do(request)", *_FAIL, "defer answer.Body.Close()"]
    if sample.shows:
        lines += [f'fmt.Println("{name}:", answer.Header.Get("{name}"))' for name in sample.shows]
    else:
        packages.add("io")
        lines += ["text, err := io.ReadAll(answer.Body)", *_FAIL]
        lines += ["if answer.StatusCode >= 400 {", '\tlog.Fatalf("%s: %s", answer.Status, text)', "}"]
        lines.append("fmt.Println(string(text))")
    if sample.variables():
        packages.add("os")
    imports = "\n".join(f'\t"{name}"' for name in sorted(packages))
    told = indent("\n".join(lines), "\t")
    return f"package main\n\nimport (\n{imports}\n)\n\nfunc main() {{\n{told}\n}}"


Writer = Callable[[Sample, str], str]

LANGUAGES: Final[Mapping[str, tuple[str, Writer]]] = MappingProxyType(
    {"sh": ("cURL", curl), "js": ("JavaScript", javascript), "python": ("Python", python), "go": ("Go", go)}
)
"""By the word that marks a block of code: the language's name, and who writes it."""


def written(name: str, base_url: str) -> str:
    """A sample as blocks of Markdown, one for each language."""
    sample = SAMPLES[name]
    return "\n\n".join(
        f"```{mark} {language}\n{write(sample, base_url)}\n```"
        for mark, (language, write) in LANGUAGES.items()
    )


TRIED: Final = ("use a key", "exchange a key", "see what is left")
"""Samples that need a key and nothing else, and no more of it than `read`."""


def filled(key: str, base_url: str) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    """Samples that run as they are, because a key stands in them: each with its text by language.

    Args:
        key: With `read`, for so short a time that it does not matter where it is copied to.
        base_url: Of the server.
    """
    for name in TRIED:
        yield (
            name,
            [
                (language, _with_key(write(SAMPLES[name], base_url), key))
                for language, write in LANGUAGES.values()
            ],
        )


def _with_key(text: str, key: str) -> str:
    for asked, given in (
        (f"os.Getenv({json.dumps(KEY)})", json.dumps(key)),
        (f"os.environ[{json.dumps(KEY)}]", json.dumps(key)),
        (f"os.environ['{KEY}']", f"'{key}'"),
        (f"process.env.{KEY}", json.dumps(key)),
        (f"${KEY}", key),
    ):
        text = text.replace(asked, given)
    # Go does not build what is imported for nothing.
    return text.replace('\t"os"\n', "").replace("import os\n", "")


_FAIL: Final = ("if err != nil {", "\tlog.Fatal(err)", "}")


def _script(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value in JavaScript."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name}: {_script(part)}" for name, part in value.items()) + " }"
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return f"process.env.{value[1:]}"
    return json.dumps(value)


def _template(url: str) -> str:
    """A URL in JavaScript."""
    if "$" not in url:
        return json.dumps(url)
    return "`" + _VARIABLE.sub(lambda match: f"${{process.env.{match[1]}}}", url) + "`"


def _literal(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value in Python."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)}: {_literal(part)}" for name, part in value.items()) + "}"
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return f"os.environ[{json.dumps(value[1:])}]"
    return json.dumps(value)


def _composite(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value in Go."""
    if isinstance(value, Mapping):
        parts = ", ".join(f"{json.dumps(name)}: {_composite(part)}" for name, part in value.items())
        return f"map[string]any{{{parts}}}"
    if isinstance(value, list):
        return "[]any{" + ", ".join(map(_composite, value)) + "}"
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return f"os.Getenv({json.dumps(value[1:])})"
    return json.dumps(value)


def _joined(url: str) -> str:
    """A URL in Go."""
    parts = _VARIABLE.split(url)
    words = [
        f"os.Getenv({json.dumps(part)})" if place % 2 else json.dumps(part)
        for place, part in enumerate(parts)
    ]
    return "+".join(word for word in words if word != '""')
