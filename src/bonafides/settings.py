"""Every setting once: its name, type, default and help.

Order of precedence: command-line flags, `BONAFIDES_*` environment variables, `bonafides.toml`, the
defaults below. An unknown name or an unsafe value stops the start with a sentence that says what to
change. `docs/reference/settings.md` is generated from here.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from bonafides.errors import Misconfigured
from bonafides.model import BUILT_IN_SCOPES, SigningAlgorithm

ENVIRONMENT_PREFIX: Final = "BONAFIDES_"
SETTINGS_FILE: Final = "bonafides.toml"
SCOPE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._:/*-]{0,99}")
NO_LIMIT: Final = "none"
PORT_MAX: Final = 65_535
VALKEY_TLS_SCHEMES: Final = frozenset({"valkeys", "rediss"})
VALKEY_SCHEMES: Final = VALKEY_TLS_SCHEMES | {"valkey", "redis"}

# What may stand in a URL without being encoded, less the quotes that would break out of a header's parameter.
_URL_TEXT: Final = re.compile(r"[!#-;=?-\[\]-_a-z~]+")
_RESOURCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!$-;=?-\[\]-_a-z~]+")
_HOST_NAME: Final = re.compile(r"[0-9A-Za-z._-]+")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_NUMBER_PATH: Final = re.compile(r"(/\d{0,3})?", re.ASCII)
_TLS_FILES: Final = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_COLOR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_BRAND_NAME_MAX: Final = 40
_LOGO_BYTES_MAX: Final = 262_144
_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not listened on

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _listed(value: object) -> object:
    """A comma- or space-separated string as a list, so that one name serves environment, file and flag."""
    if isinstance(value, str):
        return [part for part in re.split(r"[,\s]+", value) if part]
    return value


def _networks(value: object) -> object:
    """The networks of a list; none of them is everybody."""
    parts = _listed(value)
    if not isinstance(parts, list | tuple):
        return parts
    networks: list[Network] = []
    for part in parts:
        try:
            network = ipaddress.ip_network(part)
        except ValueError:
            message = (
                f"{part!r} is not an address or a network. Write 127.0.0.1 or 10.0.0.0/8, "
                "without bits set after the prefix."
            )
            raise ValueError(message) from None
        if network.prefixlen == 0:
            message = "a network of every address would let anyone forge X-Forwarded-For. Name the proxies' own addresses."
            raise ValueError(message)
        networks.append(network)
    return networks


def _limit(value: object) -> object:
    """A figure, or `none` where there shall be no limit; never nothing at all, which may be a slip."""
    return None if value == NO_LIMIT else value


class Settings(BaseModel):
    """The settings in force; frozen for the life of the process."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=PORT_MAX, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=256, description="Worker processes on this machine.")
    database: str = Field(
        "sqlite:///bonafides.db",
        repr=False,  # may hold a password
        description="Where everything is kept: `sqlite:///file` (or a bare file name) or `postgresql://user:password@host/name`.",
    )
    valkey: str = Field(
        "",
        repr=False,  # may hold a password
        description=(
            "Where nodes lease shares of limits instead of the database: `valkey://user:password@host:port`, or `valkeys://…` with TLS, of a "
            "Valkey or Redis server, or of any server of a cluster. Empty: the database."
        ),
    )
    public_url: str = Field(
        "",
        description="The URL under which clients reach the server: issuer, and base of every link. Empty: `http://host:port`.",
    )
    production: bool = Field(
        default=False,
        description="Refuse to start with settings that are only safe on a developer's machine.",
    )
    brand_name: str = Field("Bonafides", description="The name that the pages and the documentation bear.")
    brand_logo: str = Field(
        "", description="A file with the logo beside it: SVG or PNG, at most 256 KiB. Empty: our own."
    )
    brand_color: str = Field(
        "",
        description=(
            "The colour of links and buttons, as `#rrggbb`; it is made darker by day and lighter by night as far as it could not be read. Empty: our own."
        ),
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_networks)] = Field(
        (),
        description="Addresses or networks whose `X-Forwarded-*` headers are believed; nobody else's are.",
    )
    peppers: Annotated[tuple[SecretStr, ...], BeforeValidator(_listed)] = Field(
        (),
        description="Secret keys of the credential digests, hexadecimal, newest first. Empty: read `pepper_file`.",
    )
    pepper_file: str = Field(
        "",
        description=(
            "File with the peppers, one a line, newest first, readable by its owner alone. "
            "Empty: the SQLite file's name with `.pepper`, or `bonafides.pepper`."
        ),
    )
    scopes: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (),
        description="Scopes that you define beside `read`, `write`, `admin` and `credentials:verify`.",
    )
    token_audience: str = Field(
        "",
        description="`aud` of the tokens that are signed: the API that they are for. Empty: `public_url`.",
    )
    resources: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (),
        description=(
            "URIs of protected resources, such as MCP servers, for which every client may ask tokens (RFC 8707), "
            "also one that has registered itself. Others are allowed to single clients, as their `audiences`."
        ),
    )
    signing_algorithm: SigningAlgorithm = Field(
        SigningAlgorithm.EDDSA,
        description="How tokens are signed; `RS256` is for clients that know no other. Binds the next signing key.",
    )
    signing_key_rotation_days: int = Field(
        90, ge=1, le=3_650, description="How long a signing key signs; the next one is published a day ahead."
    )
    session_token_seconds: int = Field(
        3_600, ge=60, le=86_400, description="How long the token of a login lasts; it is then refreshed."
    )
    session_idle_seconds: int = Field(
        1_209_600,
        ge=60,
        description="A session ends when it was not refreshed for so long (two weeks).",
    )
    session_seconds_max: int = Field(
        7_776_000, ge=60, description="A session ends so long after its login (90 days), however it is used."
    )
    refresh_grace_seconds: int = Field(
        10,
        ge=0,
        le=60,
        description=(
            "A refresh token that is used again within this time gets the same answer again, as lost answers and two tabs need it; "
            "after it, a second use ends the session."
        ),
    )
    step_up_seconds: int = Field(
        600,
        ge=30,
        le=86_400,
        description=(
            "How long after a login somebody may change their factors or make a credential with `admin`; then they prove anew who they are, "
            "at `/v1/auth/step-up`."
        ),
    )
    dpop_nonce_required: bool = Field(
        default=False,
        description=(
            "Whether proofs of a key (DPoP) must repeat a nonce of this server, which takes clients one more request at first; one that they do repeat must "
            "be good either way."
        ),
    )
    outgoing_private_addresses: bool = Field(
        default=False,
        description=(
            "Whether URLs that OAuth clients name (`jwks_uri` and the like), and those of webhooks, may lead to private networks and to this machine. "
            "What is trusted there besides the system's authorities, `SSL_CERT_FILE` says."
        ),
    )
    webhook_plain_http: bool = Field(
        default=False,
        description=(
            "Whether webhooks may be told by http, which everybody on the way reads. Without it, that is so for this machine alone, and only where "
            "`outgoing_private_addresses` lets it be called."
        ),
    )
    smtp_host: str = Field(
        "",
        description=(
            "The mail server that resets, invitations and notices are given to. Empty: they are shown on standard error, and with `production` "
            "not sent at all."
        ),
    )
    smtp_port: int = Field(587, ge=1, le=PORT_MAX, description="Its port.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="`starttls` (port 587), `tls` from the first byte (port 465), or `none`, for a server on this machine alone.",
    )
    smtp_user: str = Field("", description="Who the server is there. Empty: nobody.")
    smtp_password: SecretStr = Field(SecretStr(""), description="The password of `smtp_user`.")
    mail_from: str = Field(
        "",
        description="The address that mails come from, such as `auth@example.com`; needed with `smtp_host`.",
    )
    max_staleness_seconds: float = Field(
        2.0,
        gt=0.05,
        le=60,
        description="Memory older than this is not trusted: the database is asked, or the answer is 503.",
    )
    feed_poll_seconds: float = Field(
        0.05,
        gt=0.001,
        le=1,
        description="How often other processes' changes are read; a quarter as often while PostgreSQL tells of them.",
    )
    resident_credentials_max: int = Field(
        1_000_000, ge=1, description="Credentials kept in memory; those least used leave first."
    )
    known_misses_max: int = Field(
        100_000, ge=1, description="Unknown credentials remembered, so that each is looked up once."
    )
    limits_across: Literal["auto", "machine", "nodes"] = Field(
        "auto",
        description=(
            "Where one count of a limit holds: on this `machine`, in memory that its workers share, or across all `nodes` on the "
            "database or on `valkey`, which lease shares of it. `auto`: nodes on PostgreSQL or with `valkey`, else this machine."
        ),
    )
    uncounted_requests: Literal["deny", "allow"] = Field(
        "deny",
        description=(
            "What becomes of requests that cannot be counted, because the leases in hand are spent and the database (or `valkey`) is away: "
            "503, or admitted without a count."
        ),
    )
    address_requests_per_minute: Annotated[int | None, BeforeValidator(_limit)] = Field(
        1_200,
        ge=1,
        description="Requests without a good credential that one address (IPv6: one /64) may send in a minute. `none`: no limit.",
    )
    self_registration: bool = Field(
        default=False,
        description=(
            "Whether anybody may register an OAuth client (RFC 7591), whom people are then asked about each time; else an initial access "
            "token is needed."
        ),
    )
    self_registrations_free: int = Field(
        20,
        ge=1,
        description="Clients that one address (IPv6: one /64) may register so before it has to wait, longer each time, until an hour has passed.",
    )
    client_id_documents: bool = Field(
        default=False,
        description=(
            "Whether OAuth clients may be known by an https URL at which they describe themselves (client ID metadata documents, as MCP "
            "has them); people are asked about them each time."
        ),
    )
    registered_clients_use_pkce: bool = Field(
        default=True,
        description=(
            "Whether clients that register themselves have to prove that a code is for them (RFC 7636) even if they prove who they are; "
            "`false` is for older ones."
        ),
    )
    request_objects: Literal["off", "signed", "any"] = Field(
        "off",
        description=(
            "Whether clients may ask by request objects (RFC 9101), sent as `request` or fetched from a `request_uri` that they have registered: "
            "`signed` by a key of the client, or `any`, unsigned ones of clients that have not said how they sign, too. Pushed requests need neither."
        ),
    )
    implicit_grant_for_certification: bool = Field(
        default=False,
        description=(
            "Whether clients that register themselves may be told tokens in a browser's address (`id_token`, `id_token token`), as the OpenID "
            "Foundation's profile of dynamic providers wants it, and RFC 9700 does not. For a run of its suite alone: production mode refuses it."
        ),
    )
    last_used_flush_seconds: float = Field(
        5.0, gt=0, le=3600, description="How often last uses are written, in one batch."
    )
    usage_flush_seconds: float = Field(
        0.8,
        gt=0,
        le=60,
        description="How often usage is written, in one batch; a crash loses what was counted since.",
    )
    usage_minutes_kept_days: int = Field(
        2,
        ge=1,
        le=36_500,
        description="How long usage is kept by the minute: the last hour is asked for, and an incident looked at the day after.",
    )
    usage_hours_kept_days: int = Field(
        90, ge=2, le=36_500, description="How long usage is kept by the hour: a quarter."
    )
    usage_days_kept_days: int = Field(
        400,
        ge=31,
        le=36_500,
        description="How long usage is kept by the day: a year, and the month before it.",
    )
    networks_kept_days: int = Field(
        90,
        ge=0,
        le=36_500,
        description=(
            "How long it is kept from which networks (the first 24 bits of an IPv4 address, 48 of an IPv6 address) API keys and personal "
            "access tokens are used, after the last use from each. 0: it is not kept, and what was is forgotten."
        ),
    )
    body_bytes_max: int = Field(65_536, ge=1024, description="Longest request body that is read.")
    header_bytes_max: int = Field(32_768, ge=1024, description="Longest request head that is read.")
    header_seconds_max: float = Field(10.0, gt=0, description="Time for a request's head to arrive.")
    body_seconds_max: float = Field(20.0, gt=0, description="Time for a request's body to arrive.")
    keep_alive_seconds: int = Field(75, ge=1, description="Time that an idle connection is kept.")
    drain_seconds_max: int = Field(20, ge=0, description="Time for requests under way to end after SIGTERM.")
    database_connections_max: int = Field(
        10, ge=1, le=500, description="Connections to PostgreSQL, or reading threads on SQLite."
    )
    metrics_address: str = Field(
        "",
        description="`host:port` for `/metrics` without a credential. Empty: on the main port, for an operator's credential alone.",
    )
    change_retention_seconds: int = Field(
        3_600, ge=60, description="How long entries of the change feed are kept."
    )
    ended_tokens_kept_seconds: int = Field(
        86_400,
        ge=60,
        description="How long tokens are kept after their end, to be told `token_expired`; then they are unknown.",
    )
    idempotency_seconds: int = Field(
        86_400, ge=60, description="How long an `Idempotency-Key` is remembered."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="Lines of JSON, or columns for a person."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe line that is written."
    )

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    def source_of(self, name: str) -> str:
        """What has set a setting, spelt as it was: a flag, a variable, a line of the file; `default`, or `start` for a program."""
        return self._sources.get(name, "start" if name in self.model_fields_set else "default")

    def remember_sources(self, sources: Mapping[str, str]) -> None:
        """Make `source_of` tell what has set each setting, by name."""
        self._sources.update(sources)

    @field_validator("host")
    @classmethod
    def _check_host(cls, host: str) -> str:
        if not _is_host(host):
            raise ValueError("must be an address or a host name alone, such as 127.0.0.1 or ::1.")
        return host

    @field_validator("brand_name")
    @classmethod
    def _check_brand_name(cls, name: str) -> str:
        if not name.isprintable() or not name.strip() or len(name) > _BRAND_NAME_MAX:
            raise ValueError(f"must be 1 to {_BRAND_NAME_MAX} printable characters.")
        return name.strip()

    @field_validator("brand_logo")
    @classmethod
    def _check_brand_logo(cls, file: str) -> str:
        if not file:
            return file
        try:
            with Path(file).open("rb") as opened:
                content = opened.read(_LOGO_BYTES_MAX + 1)
        except OSError as error:
            raise ValueError(f"{file} cannot be read: {error.strerror}.") from None
        if len(content) > _LOGO_BYTES_MAX or not (content.startswith(b"\x89PNG") or b"<svg" in content):
            raise ValueError(f"{file} must be an SVG or PNG image of at most 256 KiB.")
        return file

    @field_validator("brand_color")
    @classmethod
    def _check_brand_color(cls, color: str) -> str:
        if color and _COLOR.fullmatch(color) is None:
            raise ValueError("must be a colour such as #1c55c9.")
        return color.lower()

    @field_validator("database")
    @classmethod
    def _check_database(cls, database: str) -> str:
        scheme, separator, rest = database.partition("://")
        if not separator:
            usable = bool(database) and _SCHEME.match(database) is None
        elif scheme == "sqlite":
            usable = rest not in {"", "/"} and not any(mark in rest for mark in ("?", "#", ":memory:"))
        else:
            usable = scheme in {"postgresql", "postgres"} and _has_good_port(database)
        if not usable:
            raise ValueError("must be sqlite:///file, a file name, or postgresql://user:password@host/name.")
        return database

    @field_validator("valkey")
    @classmethod
    def _check_valkey(cls, valkey: str) -> str:
        if valkey and not _is_valkey(valkey):
            raise ValueError(
                "must be valkey://user:password@host:6379, or valkeys:// with TLS, perhaps with ?ssl_ca_certs=file."
            )
        return valkey

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, public_url: str) -> str:
        if not public_url:
            return public_url
        usable = _URL_TEXT.fullmatch(public_url) is not None and _has_good_port(public_url)
        if usable:
            parts = urlsplit(public_url)
            bare = not (parts.query or parts.fragment or "@" in parts.netloc)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and bare
        if not usable:
            raise ValueError(
                "must look like https://api.example.com, without a query, a fragment or a user name."
            )
        return public_url

    @field_validator("token_audience")
    @classmethod
    def _check_token_audience(cls, token_audience: str) -> str:
        if token_audience and _URL_TEXT.fullmatch(token_audience) is None:
            raise ValueError("must be a URL or a word, such as https://api.example.com.")
        return token_audience

    @field_validator("resources")
    @classmethod
    def _check_resources(cls, resources: tuple[str, ...]) -> tuple[str, ...]:
        for resource in resources:
            if _RESOURCE.fullmatch(resource) is None:
                message = f"{resource!r} is not an absolute URI without a fragment, such as https://mcp.example.com."
                raise ValueError(message)
        return resources

    @field_validator("scopes")
    @classmethod
    def _check_scopes(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        for scope in scopes:
            if SCOPE_NAME.fullmatch(scope) is None:
                message = (
                    f"{scope!r} is not a scope name. "
                    "Use lower-case letters, digits and . _ : / * - (at most 100 characters)."
                )
                raise ValueError(message)
        return scopes

    @field_validator("metrics_address")
    @classmethod
    def _check_metrics_address(cls, metrics_address: str) -> str:
        host, separator, port = metrics_address.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        listenable = _is_host(bare) and re.fullmatch(r"\d{1,5}", port) and int(port) <= PORT_MAX
        if metrics_address and not (separator and listenable):
            raise ValueError("must be host:port, such as 127.0.0.1:9100.")
        return metrics_address

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.feed_poll_seconds > self.max_staleness_seconds / 2:
            raise ValueError(
                "feed_poll_seconds: must be at most half of max_staleness_seconds, or memory is never trusted."
            )
        if self.valkey and self.limits_across == "machine":
            raise ValueError(
                "limits_across: machine counts in this machine's memory alone. Leave out valkey, or limits_across."
            )
        if self.smtp_host and "@" not in self.mail_from:
            raise ValueError("mail_from: is needed with smtp_host, such as auth@example.com.")
        if self.session_idle_seconds > self.session_seconds_max:
            raise ValueError("session_idle_seconds: must not be longer than session_seconds_max.")
        if self.pepper_path == self.sqlite_path:
            raise ValueError("pepper_file: must not be the database's own file. Name another.")
        return self

    @property
    def database_scheme(self) -> str:
        """`sqlite` or `postgresql`, or whatever else was written."""
        scheme, separator, _ = self.database.partition("://")
        if not separator:
            return "sqlite" if self.database else ""
        return "postgresql" if scheme == "postgres" else scheme

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        if self.database_scheme != "sqlite":
            return None
        _, separator, rest = self.database.partition("://")
        return Path(rest.removeprefix("/")) if separator else Path(self.database)

    @property
    def counts_across_nodes(self) -> bool:
        """Whether one count of a limit holds for every process on the database."""
        if self.limits_across == "auto":
            return bool(self.valkey) or self.database_scheme == "postgresql"
        return self.limits_across == "nodes"

    @property
    def database_url(self) -> str:
        """The database as the store wants it named, however it was written."""
        path = self.sqlite_path
        return self.database if path is None else f"sqlite:///{path}"

    @property
    def database_shown(self) -> str:
        """The database as it may be shown to anyone: without the user name and the password."""
        path = self.sqlite_path
        if path is not None:
            return str(path)
        parts = urlsplit(self.database)
        return f"postgresql://{parts.hostname or 'localhost'}{parts.path}"

    @property
    def valkey_shown(self) -> str:
        """The server of the leases as it may be shown to anyone: without the user name and the password."""
        parts = urlsplit(self.valkey)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def pepper_path(self) -> Path:
        """The file that holds the peppers where the setting `peppers` is empty."""
        if self.pepper_file:
            return Path(self.pepper_file)
        return self.sqlite_path.with_suffix(".pepper") if self.sqlite_path else Path("bonafides.pepper")

    @property
    def base_url(self) -> str:
        """The base of every link, without a slash at the end."""
        reachable = _WILDCARDS.get(self.host, self.host)
        host = f"[{reachable}]" if ":" in reachable else reachable
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @property
    def audience(self) -> str:
        """Whom signed tokens are for."""
        return self.token_audience or self.base_url

    @property
    def audiences(self) -> tuple[str, ...]:
        """For which resources every client may ask tokens."""
        return (self.audience, *self.resources)

    @property
    def defined_scopes(self) -> frozenset[str]:
        """Every scope that this installation knows."""
        return BUILT_IN_SCOPES | frozenset(self.scopes)

    def unsafe(self) -> list[str]:
        """What production mode refuses, one sentence each that says what to change."""
        found = []
        if not self.public_url.startswith("https://"):
            found.append(
                "public_url must be an https:// URL: set BONAFIDES_PUBLIC_URL=https://api.example.com."
            )
        if not _is_loopback(self.host) and not self.trusted_proxies:
            found.append(
                f"host {self.host} is open to the network without TLS: listen on 127.0.0.1 behind a proxy, "
                "or name the proxy in BONAFIDES_TRUSTED_PROXIES."
            )
        if self.address_requests_per_minute is None:
            found.append("address_requests_per_minute is off: set a number, or anyone may guess without end.")
        if self.smtp_host and self.smtp_tls == "none" and not _is_loopback(self.smtp_host):
            found.append(
                "smtp_tls is none: resets would cross the network in the clear. Set BONAFIDES_SMTP_TLS=starttls."
            )
        if self.outgoing_private_addresses:
            found.append(
                "outgoing_private_addresses lets whoever names a client's URL reach into this network: set BONAFIDES_OUTGOING_PRIVATE_ADDRESSES=false."
            )
        if self.implicit_grant_for_certification:
            found.append(
                "implicit_grant_for_certification puts tokens into the addresses of browsers: set BONAFIDES_IMPLICIT_GRANT_FOR_CERTIFICATION=false."
            )
        if self.webhook_plain_http:
            found.append(
                "webhook_plain_http lets events cross networks in the clear: set BONAFIDES_WEBHOOK_PLAIN_HTTP=false."
            )
        if self.log_level == "debug":
            found.append("log_level is debug: set BONAFIDES_LOG_LEVEL=info.")
        return found


def load(flags: Mapping[str, Any], environment: Mapping[str, str], folder: Path) -> Settings:
    """The settings in force.

    Args:
        flags: From the command line, by setting name; None means not given.
        environment: Usually `os.environ`; only names with `BONAFIDES_` count.
        folder: Where `bonafides.toml` may lie.

    Raises:
        Misconfigured: With a sentence for each thing that is unknown, wrong or, in production mode, unsafe.
    """
    values: dict[str, Any] = {}
    shown: dict[str, str] = {}
    unknown: list[str] = []
    for name, value in _from_file(folder / SETTINGS_FILE).items():
        values[name], shown[name] = value, f"{SETTINGS_FILE}: {name}"
        unknown += _unknown(name, f"{SETTINGS_FILE}: {name}", "")
    for variable, text in environment.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if variable.startswith(ENVIRONMENT_PREFIX):
            unknown += _unknown(name, variable, ENVIRONMENT_PREFIX)
            if text:
                values[name], shown[name] = text, variable
    for name, value in flags.items():
        if value is not None:
            values[name], shown[name] = value, f"--{name.replace('_', '-')}"
    if unknown:
        raise Misconfigured("\n".join(unknown))
    try:
        settings = Settings(**values)
    except ValidationError as error:
        sentences = dict.fromkeys(_sentence(problem, shown) for problem in error.errors())
        raise Misconfigured("\n".join(sentences)) from None
    settings.remember_sources(shown)
    if settings.production and (unsafe := settings.unsafe()):
        heading = "Production mode refuses to start:"
        raise Misconfigured("\n".join([heading, *(f"- {line}" for line in unsafe)]))
    return settings


def _from_file(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
    message = f"{path.name} cannot be read: {reason}."
    raise Misconfigured(message)


def _unknown(name: str, shown: str, prefix: str) -> list[str]:
    """The sentence on a name that is no setting, with the one that may have been meant, spelt the same way."""
    if name in Settings.model_fields:
        return []
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    if not near:
        return [f"{shown} is not a setting. See docs/reference/settings.md for every setting."]
    meant = prefix + (near[0].upper() if prefix else near[0])
    return [f"{shown} is not a setting. Did you mean {meant}?"]


def _sentence(problem: Any, shown: Mapping[str, str]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    text = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return text
    name, *rest = (str(part) for part in problem["loc"])
    return ".".join([shown.get(name, name), *rest]) + f": {text}"


def _has_good_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _is_valkey(url: str) -> bool:
    """Whether a URL names a Valkey or Redis server, with no option that would weaken the connection."""
    if not _has_good_port(url):
        return False
    parts = urlsplit(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    return (
        parts.scheme in VALKEY_SCHEMES
        and bool(parts.hostname)
        and _NUMBER_PATH.fullmatch(parts.path) is not None
        and options.keys() <= _TLS_FILES
        and (not options or parts.scheme in VALKEY_TLS_SCHEMES)
        and not parts.fragment
    )


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST_NAME.fullmatch(text) is not None
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
