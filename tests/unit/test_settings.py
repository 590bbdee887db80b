"""Settings: where they come from, who wins, and what is refused with a sentence that says what to change."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from bonafides.errors import Misconfigured
from bonafides.settings import SETTINGS_FILE, Settings, load

NOWHERE = Path("/nonexistent")
PEPPER = "ab" * 32
OPEN = "0.0.0.0"
SAFE = {
    "BONAFIDES_PRODUCTION": "true",
    "BONAFIDES_PUBLIC_URL": "https://api.example.com",
}


def refusal(environment: dict[str, str], folder: Path = NOWHERE, **flags: object) -> str:
    """The sentences with which these settings are refused."""
    with pytest.raises(Misconfigured) as caught:
        load(flags, environment, folder)
    return caught.value.public


def write(folder: Path, text: str) -> None:
    """Put a settings file into the folder."""
    (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")


def test_without_any_setting_the_defaults_hold() -> None:
    """Whoever starts the server with nothing set would not get the embedded database on this machine alone."""
    settings = load({}, {"PATH": "/bin", "HOME": "/"}, NOWHERE)
    assert settings == Settings()
    assert (settings.host, settings.port, settings.database_scheme) == ("127.0.0.1", 8000, "sqlite")
    assert settings.sqlite_path == Path("bonafides.db")
    assert settings.pepper_path == Path("bonafides.pepper")


def test_flags_win_over_variables_and_those_over_the_file(tmp_path: Path) -> None:
    """An operator who overrides one value for one start would be ignored."""
    write(tmp_path, 'port = 1\nworkers = 2\nhost = "::1"\n')
    environment = {"BONAFIDES_PORT": "3", "BONAFIDES_WORKERS": "4"}
    settings = load({"port": 5, "workers": None, "host": None}, environment, tmp_path)
    assert (settings.port, settings.workers, settings.host) == (5, 4, "::1")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """`VARIABLE=${X:-}` in a compose file would switch off a limit, or stop the start."""
    write(tmp_path, "port = 1\naddress_requests_per_minute = 7\n")
    environment = {"BONAFIDES_PORT": "", "BONAFIDES_HOST": "", "BONAFIDES_ADDRESS_REQUESTS_PER_MINUTE": ""}
    settings = load({}, environment, tmp_path)
    assert (settings.port, settings.host, settings.address_requests_per_minute) == (1, "127.0.0.1", 7)


def test_no_limit_is_said_aloud() -> None:
    """The limit by address could not be switched off, or could be by accident."""
    settings = load({}, {"BONAFIDES_ADDRESS_REQUESTS_PER_MINUTE": "none"}, NOWHERE)
    assert settings.address_requests_per_minute is None
    assert "BONAFIDES_ADDRESS_REQUESTS_PER_MINUTE" in refusal({"BONAFIDES_ADDRESS_REQUESTS_PER_MINUTE": "0"})


def test_lists_are_separated_by_commas_or_blanks_in_a_variable_and_lists_in_the_file(tmp_path: Path) -> None:
    """The contract's `127.0.0.1,10.0.0.0/8` would not be read."""
    write(tmp_path, 'scopes = ["billing:read", "billing:write"]\n')
    settings = load({}, {"BONAFIDES_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8 2001:db8::/32"}, tmp_path)
    assert settings.trusted_proxies == tuple(
        ipaddress.ip_network(network) for network in ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")
    )
    assert settings.scopes == ("billing:read", "billing:write")
    assert {"read", "write", "admin", "credentials:verify", "billing:read"} <= settings.defined_scopes


def test_resources_are_absolute_uris_without_a_fragment() -> None:
    """RFC 8707 §2: a client could never name what stands there, and nobody would find out why."""
    known = "https://mcp.example.com/mcp urn:example:ledger"
    settings = load({}, {"BONAFIDES_RESOURCES": known, "BONAFIDES_PUBLIC_URL": "https://a.example"}, NOWHERE)
    assert settings.audiences == ("https://a.example", *known.split())
    for wrong in ("mcp.example.com", "https://mcp.example.com/#tools", "https://mcp.example.com/<x>"):
        assert "is not an absolute URI" in refusal({"BONAFIDES_RESOURCES": wrong})


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"BONAFIDES_DATABSE": "x.db"},
            "BONAFIDES_DATABSE is not a setting. Did you mean BONAFIDES_DATABASE?",
        ),
        ({"BONAFIDES_PROT": ""}, "BONAFIDES_PROT is not a setting. Did you mean BONAFIDES_PORT?"),
        (
            {"BONAFIDES_FLUX_CAPACITOR": "1"},
            "BONAFIDES_FLUX_CAPACITOR is not a setting. See docs/reference/settings.md for every setting.",
        ),
    ],
)
def test_an_unknown_variable_is_refused_with_what_may_have_been_meant(
    environment: dict[str, str], sentence: str
) -> None:
    """A misspelt setting would be silently ignored, and the server would run without it."""
    assert refusal(environment) == sentence


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    """The same, for whoever writes the file; a table is no setting either."""
    write(tmp_path, "prot = 1\n[server]\nport = 2\n")
    assert refusal({}, tmp_path).splitlines() == [
        "bonafides.toml: prot is not a setting. Did you mean port?",
        "bonafides.toml: server is not a setting. See docs/reference/settings.md for every setting.",
    ]


def test_every_unknown_name_is_told_at_once(tmp_path: Path) -> None:
    """Whoever mends one would only then learn of the next."""
    write(tmp_path, "prot = 1\n")
    told = refusal({"BONAFIDES_WORKER": "2", "BONAFIDES_HOTS": "x"}, tmp_path).splitlines()
    assert [line.split(" is not")[0] for line in told] == [
        "bonafides.toml: prot",
        "BONAFIDES_WORKER",
        "BONAFIDES_HOTS",
    ]


def test_a_wrong_value_is_told_by_the_name_under_which_it_was_given(tmp_path: Path) -> None:
    """Whoever set it in three places would not know which one to mend."""
    write(tmp_path, "workers = 0\n")
    told = refusal({"BONAFIDES_LOG_LEVEL": "loud"}, tmp_path, port=70_000, public_url="ftp://x").splitlines()
    assert sorted(line.split(": ")[0] for line in told) == [
        "--port",
        "--public-url",
        "BONAFIDES_LOG_LEVEL",
        "bonafides.toml",
    ]
    assert "bonafides.toml: workers: Input should be greater than or equal to 1" in told


def test_a_flag_that_is_no_setting_is_refused() -> None:
    """A command that misspells its own flag would be silently ignored."""
    assert "--prot" in refusal({}, prot=1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("port = \n", "Invalid value"),
        ("port = 1\nport = 2\n", "overwrite"),
        (b"host = '\xff'\n", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, text: str | bytes, reason: str) -> None:
    """The server would start with its defaults although somebody wrote settings."""
    (tmp_path / SETTINGS_FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    told = refusal({}, tmp_path)
    assert told.startswith("bonafides.toml cannot be read: ")
    assert reason in told


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """A mount that failed would start the server with its defaults."""
    (tmp_path / SETTINGS_FILE).mkdir()
    assert refusal({}, tmp_path).startswith("bonafides.toml cannot be read: ")


@pytest.mark.parametrize(
    ("database", "scheme", "path", "pepper"),
    [
        ("sqlite:///bonafides.db", "sqlite", "bonafides.db", "bonafides.pepper"),
        ("sqlite:////var/lib/b/b.db", "sqlite", "/var/lib/b/b.db", "/var/lib/b/b.pepper"),
        ("sqlite://keys.db", "sqlite", "keys.db", "keys.pepper"),
        ("data/keys", "sqlite", "data/keys", "data/keys.pepper"),
        ("postgresql://u:p@db/name", "postgresql", None, "bonafides.pepper"),
        ("postgres://u:p@db:5432/name?sslmode=require", "postgresql", None, "bonafides.pepper"),
    ],
)
def test_a_database_is_a_file_or_postgresql(
    database: str, scheme: str, path: str | None, pepper: str
) -> None:
    """An operator's file or database would not be the one that is opened."""
    settings = load({"database": database}, {}, NOWHERE)
    assert settings.database_scheme == scheme
    assert settings.sqlite_path == (None if path is None else Path(path))
    assert settings.pepper_path == Path(pepper)


@pytest.mark.parametrize(
    "database",
    [
        "mysql://u:hunter2@db/name",
        "postgresql+asyncpg://u:hunter2@db/name",
        "postgresql:/u:hunter2@db/name",
        "postgresql://u:hunter2@db:port/name",
        "postgresql://u:hunter2@[db/name",
        "sqlite:hunter2.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:?hunter2",
        "sqlite:///hunter2.db?mode=ro",
        "sqlite:///hunter2.db#x",
        "://hunter2",
    ],
)
def test_any_other_database_is_refused_without_repeating_its_password(database: str) -> None:
    """A typo would start an empty SQLite file named after it, or show the password in a log."""
    told = refusal({"BONAFIDES_DATABASE": database})
    assert told.startswith("BONAFIDES_DATABASE: must be sqlite:///file")
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("valkey", "shown"),
    [
        ("valkey://cache", "valkey://cache"),
        ("redis://u:hunter2@cache:6380/3", "redis://cache:6380"),
        ("valkeys://:hunter2@cache/?ssl_ca_certs=ca.pem", "valkeys://cache"),
        ("rediss://[::1]:6379", "rediss://[::1]:6379"),
    ],
)
def test_leases_are_in_valkey_or_redis_whatever_the_database(valkey: str, shown: str) -> None:
    """An operator who adds it would go on counting each server apart; or the password would be in a ticket."""
    for database in ("keys.db", "postgresql://db/x"):
        settings = load({"valkey": valkey, "database": database}, {}, NOWHERE)
        assert settings.counts_across_nodes
        assert settings.valkey_shown == shown
        assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "valkey",
    [
        "hunter2",
        "http://u:hunter2@cache",
        "valkey://",
        "valkey://:hunter2@",
        "valkey://u:hunter2@cache:port",
        "valkey://u:hunter2@[cache",
        "valkey://u:hunter2@cache/name",
        "valkey://u:hunter2@cache#x",
        "valkey://u:hunter2@cache?ssl_ca_certs=ca.pem",
        "valkeys://u:hunter2@cache?ssl_cert_reqs=none",
    ],
)
def test_any_other_valkey_is_refused_without_repeating_its_password(valkey: str) -> None:
    """A typo would show the password in a log, or an option make the encryption worth nothing."""
    told = refusal({"BONAFIDES_VALKEY": valkey})
    assert told.startswith("BONAFIDES_VALKEY: must be valkey://user:password@host:6379")
    assert "hunter2" not in told


def test_valkey_is_not_given_where_it_would_not_be_asked() -> None:
    """Limits would be counted on each machine apart, and the operator believe otherwise."""
    told = refusal({"BONAFIDES_VALKEY": "valkey://cache", "BONAFIDES_LIMITS_ACROSS": "machine"})
    assert told.startswith("limits_across: machine counts in this machine's memory alone")


def test_an_empty_database_flag_is_refused() -> None:
    """`--database "$UNSET"` would open a file without a name."""
    assert refusal({}, database="").startswith("--database: must be")


@pytest.mark.parametrize(
    "public_url",
    [
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://:8000",
        "https://api.example.com/?a=b",
        "https://api.example.com/#a",
        "https://user@api.example.com",
        "https://:secret@api.example.com",
        "https://[::1",
        "https://api.example.com:99999",
        "https://api.example.com:0",
        "https://api.exam\nple.com",
        'https://api.example.com/"',
        "https://api.exämple.com",
        "https://api.example.com/a b",
    ],
)
def test_a_public_url_that_is_not_the_base_of_links_is_refused(public_url: str) -> None:
    """Every link and challenge would carry it: broken for all clients, or with a header split in two."""
    assert refusal({}, public_url=public_url).startswith(
        "--public-url: must look like https://api.example.com"
    )


@pytest.mark.parametrize(
    ("flags", "base_url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"public_url": ""}, "http://127.0.0.1:8000"),
        ({"host": "::1", "port": 1}, "http://[::1]:1"),
        ({"host": OPEN}, "http://127.0.0.1:8000"),
        ({"host": "::"}, "http://[::1]:8000"),
        ({"host": "keys.internal"}, "http://keys.internal:8000"),
        ({"public_url": "https://api.example.com/"}, "https://api.example.com"),
        ({"public_url": "https://api.example.com:444/auth"}, "https://api.example.com:444/auth"),
    ],
)
def test_the_base_of_links_is_where_clients_reach_the_server(flags: dict[str, Any], base_url: str) -> None:
    """Links would lead to an address that nobody can open."""
    assert load(flags, {}, NOWHERE).base_url == base_url


@pytest.mark.parametrize("host", ["", "http://127.0.0.1", "127.0.0.1:80", "a b", "[::1]", "a/b"])
def test_a_host_is_an_address_or_a_name_alone(host: str) -> None:
    """The server would fail later, with words of the socket library; an empty one would listen everywhere."""
    assert refusal({}, host=host).startswith("--host: must be an address")


@pytest.mark.parametrize("address", ["9100", "127.0.0.1:", "127.0.0.1:99999", "a b:1", ":9100", "[::1]"])
def test_a_metrics_address_is_host_and_port(address: str) -> None:
    """Metrics would be nowhere, or on an address that nobody chose."""
    told = refusal({"BONAFIDES_METRICS_ADDRESS": address})
    assert told == "BONAFIDES_METRICS_ADDRESS: must be host:port, such as 127.0.0.1:9100."


@pytest.mark.parametrize("address", ["127.0.0.1:9100", "[::1]:9100", "localhost:9100"])
def test_a_good_metrics_address_is_taken(address: str) -> None:
    """Metrics could not be put on an address of their own."""
    assert load({"metrics_address": address}, {}, NOWHERE).metrics_address == address


@pytest.mark.parametrize(
    ("proxies", "reason"),
    [
        ("0.0.0.0/0", "anyone forge"),
        ("127.0.0.1,::/0", "anyone forge"),
        ("10.0.0.1/8", "'10.0.0.1/8' is not an address or a network"),
        ("proxy.internal", "'proxy.internal' is not an address or a network"),
    ],
)
def test_proxies_that_would_trust_everybody_or_nobody_are_refused(proxies: str, reason: str) -> None:
    """Any client could name the address that limits and allowed networks are judged by."""
    told = refusal({"BONAFIDES_TRUSTED_PROXIES": proxies})
    assert told.startswith("BONAFIDES_TRUSTED_PROXIES: ")
    assert reason in told


def test_proxies_of_another_type_are_refused(tmp_path: Path) -> None:
    """A number in the file would be taken for an IPv4 address, or crash the start."""
    write(tmp_path, "trusted_proxies = 7\n")
    assert refusal({}, tmp_path).startswith("bonafides.toml: trusted_proxies: ")


@pytest.mark.parametrize("scope", ["Admin", "a!", "-x", "x" * 101])
def test_a_scope_that_would_not_fit_on_the_wire_is_refused(scope: str) -> None:
    """Scopes are separated by blanks in tokens: a bad name would read as several, or as another."""
    told = refusal({"BONAFIDES_SCOPES": f"good,{scope}"})
    assert told.startswith(f"BONAFIDES_SCOPES: {scope!r} is not a scope name.")


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", "soon"])
def test_times_are_finite_and_positive(value: str) -> None:
    """A slow client could hold a connection for ever."""
    assert "BONAFIDES_HEADER_SECONDS_MAX" in refusal({"BONAFIDES_HEADER_SECONDS_MAX": value})


def test_the_feed_must_be_read_more_often_than_memory_grows_old() -> None:
    """Memory would never be trusted: every request would go to the database."""
    told = refusal({"BONAFIDES_FEED_POLL_SECONDS": "1", "BONAFIDES_MAX_STALENESS_SECONDS": "1"})
    assert told.startswith("feed_poll_seconds: must be at most half of max_staleness_seconds")


def test_the_pepper_is_not_written_into_the_database() -> None:
    """The first start would write the pepper over the database's own file."""
    assert refusal({}, database="keys.pepper").startswith("pepper_file: must not be the database's own file")
    assert refusal({}, database="keys.db", pepper_file="keys.db").startswith("pepper_file: ")
    assert load({"pepper_file": "elsewhere"}, {}, NOWHERE).pepper_path == Path("elsewhere")


def test_no_secret_is_in_what_settings_print() -> None:
    """A log line with the settings would carry the database's password and the peppers."""
    settings = load(
        {"database": "postgresql://u:hunter2@db/x"}, {"BONAFIDES_PEPPERS": f"{PEPPER},{PEPPER}"}, NOWHERE
    )
    assert [pepper.get_secret_value() for pepper in settings.peppers] == [PEPPER, PEPPER]
    assert "hunter2" not in repr(settings)
    assert PEPPER not in f"{settings!r} {settings!s}"


def test_safe_production_settings_start() -> None:
    """Nobody could start in production mode at all."""
    assert load({}, SAFE, NOWHERE).production
    behind_a_proxy = {**SAFE, "BONAFIDES_HOST": OPEN, "BONAFIDES_TRUSTED_PROXIES": "10.0.0.0/8"}
    assert load({}, behind_a_proxy, NOWHERE).unsafe() == []
    assert load({}, {**SAFE, "BONAFIDES_HOST": "localhost"}, NOWHERE).unsafe() == []
    assert load({}, {**SAFE, "BONAFIDES_HOST": "127.0.0.2"}, NOWHERE).unsafe() == []


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"BONAFIDES_PUBLIC_URL": ""}, "set BONAFIDES_PUBLIC_URL=https://"),
        ({"BONAFIDES_PUBLIC_URL": "http://api.example.com"}, "set BONAFIDES_PUBLIC_URL=https://"),
        ({"BONAFIDES_HOST": OPEN}, "listen on 127.0.0.1 behind a proxy"),
        ({"BONAFIDES_HOST": "keys.internal"}, "listen on 127.0.0.1 behind a proxy"),
        ({"BONAFIDES_ADDRESS_REQUESTS_PER_MINUTE": "none"}, "set a number"),
        ({"BONAFIDES_LOG_LEVEL": "debug"}, "set BONAFIDES_LOG_LEVEL=info"),
    ],
)
def test_production_refuses_what_is_unsafe_and_says_what_to_change(
    change: dict[str, str], advice: str
) -> None:
    """A server on the internet would run with what is only safe on a developer's machine."""
    told = refusal({**SAFE, **change})
    assert told.startswith("Production mode refuses to start:\n- ")
    assert advice in told
    assert len(told.splitlines()) == 2
    without = {name: text for name, text in (SAFE | change).items() if name != "BONAFIDES_PRODUCTION"}
    assert len(load({}, without, NOWHERE).unsafe()) == 1


def test_settings_do_not_change_while_the_server_runs() -> None:
    """What was checked at the start would no longer be what is in force."""
    settings = Settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
