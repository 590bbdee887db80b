"""Files of keys as other programs write them: every form understood, and none able to break the reading off unseen."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bonafides.credentials.dumps import DumpFormat, Entry, Unusable, read
from bonafides.errors import InvalidRequest

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
IN_2030 = datetime(2030, 1, 1, tzinfo=UTC)
KEY = "sk_live_from_elsewhere"
FIELDS = ("key", "hash", "scheme", "prefix", "name", "user", "scopes", "expires_at", "enabled")


def told(text: str, form: DumpFormat = DumpFormat.AUTO) -> tuple[DumpFormat, list[dict[str, Any] | Unusable]]:
    """What was understood: the format, and of each entry what it says."""
    found, entries = read(io.StringIO(text, newline=""), form, NOW)
    return found, [entry if isinstance(entry, Unusable) else said(entry) for entry in entries]


def said(entry: Entry) -> dict[str, Any]:
    """What an entry says, and nothing of what it does not."""
    blank = Entry(0)
    return {
        name: getattr(entry, name)
        for name in (*Entry.__struct_fields__,)
        if getattr(entry, name) != getattr(blank, name)
    }


def one(row: object, form: DumpFormat = DumpFormat.AUTO) -> dict[str, Any] | Unusable:
    """What is understood of one line of JSON."""
    [entry] = told(json.dumps(row) + "\n", form)[1]
    return entry


def reason(row: object, form: DumpFormat = DumpFormat.AUTO) -> str:
    """Why a line of JSON is refused."""
    entry = one(row, form)
    assert isinstance(entry, Unusable)
    assert entry.line == 1
    return entry.reason


# Our own words


def test_csv_is_understood_with_its_line_numbers() -> None:
    """Whoever looks for a refused entry looks at that line of the file, also behind a field with a line break."""
    text = (
        "\ufeffkey,name,user,scopes,expires_at,enabled,allowed_ips,metadata\r\n"
        f'{KEY},"two\r\nlines",ada@example.com,"read write",2030-01-01T00:00:00Z,false,"192.0.2.1, 192.0.2.2","{{""a"": 1}}"\r\n'
        "\r\n"
        f"{KEY}2,,NULL,\\N,,,,\r\n"
        f"{KEY}3\r\n"
        f"{KEY}4,a,b,c,d,e,f,g,h\r\n"
    )
    found, entries = told(text.removeprefix("\ufeff"))
    assert found is DumpFormat.CSV
    assert entries == [
        {
            "line": 3,
            "key": KEY,
            "name": "two\r\nlines",
            "user": "ada@example.com",
            "scopes": ("read", "write"),
            "expires_at": IN_2030,
            "enabled": False,
            "allowed_ips": ("192.0.2.1", "192.0.2.2"),
            "metadata": {"a": 1},
        },
        {"line": 5, "key": f"{KEY}2"},
        {"line": 6, "key": f"{KEY}3"},
        Unusable(7, "has more fields than columns"),
    ]


def test_csv_that_ends_in_the_middle_is_told() -> None:
    """A file that was cut off would pass for a whole one."""
    found, entries = told(f'key,name\n{KEY},a\n{KEY}2,"never ends')
    assert found is DumpFormat.CSV
    assert entries[-1] == Unusable(3, "is not valid CSV; what comes after it was not read")


def test_a_field_that_is_too_long_is_told() -> None:
    """Everything after it would be missing without a word."""
    field = "x" * (csv.field_size_limit() + 1)
    [entry] = told(f"key,name\n{KEY},{field}\n{KEY}2,a\n")[1]
    assert entry == Unusable(2, "is not valid CSV; what comes after it was not read")


@pytest.mark.parametrize("text", ["name,token\na,b\n", f"{KEY},a\n", "just a text"])
def test_csv_without_a_column_of_keys_is_refused(text: str) -> None:
    """Its first key would be taken for the name of a column, or every line be refused for a reason that helps nobody."""
    with pytest.raises(InvalidRequest, match="names of its columns") as caught:
        told(text)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "key,name\n", "[]"])
def test_a_file_without_keys_is_refused(text: str) -> None:
    """Nothing would be imported, and that told as a success."""
    with pytest.raises(InvalidRequest, match=r"holds no keys|names of its columns"):
        told(text)


def test_json_lines_are_understood_one_by_one() -> None:
    """One damaged line would lose all others."""
    text = f'\n{{"key": "{KEY}", "scopes": ["read"], "metadata": {{"a": 1}}, "enabled": true}}\n\n{{"key"\n[1]\n{{"key": "{KEY}2", "scopes": null, "expires_at": null, "metadata": null}}'
    found, entries = told(text)
    assert found is DumpFormat.JSONL
    assert entries == [
        {"line": 2, "key": KEY, "scopes": ("read",), "metadata": {"a": 1}},
        Unusable(4, "is not valid JSON"),
        Unusable(5, "is not an object"),
        {"line": 6, "key": f"{KEY}2"},
    ]


def test_a_list_of_json_is_numbered() -> None:
    """What is one document has no lines that would help."""
    found, entries = told(json.dumps([{"key": KEY}, 7, {"hash": "ab"}], indent=1))
    assert found is DumpFormat.JSONL
    assert entries == [{"line": 1, "key": KEY}, Unusable(2, "is not an object"), {"line": 3, "hash": "ab"}]


@pytest.mark.parametrize("text", ['{"a": 1,\n', "[1", "[" * 100_000, '{"a":' * 100_000])
def test_json_that_is_none_is_refused(text: str) -> None:
    """A traceback would show the file, which holds keys."""
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        told(text)


def test_a_deep_line_harms_itself_alone() -> None:
    """One hostile line would end the import."""
    entries = told('{"key": "' + KEY + '"}\n{"metadata":' + "[" * 100_000 + "\n")[1]
    assert entries[1] == Unusable(2, "is not valid JSON")


def test_a_column_that_is_none_of_ours_is_refused_without_its_name() -> None:
    """A bound in a column that nobody reads would be gone; and a file that maps keys to names would print its keys."""
    told_reason = reason({KEY: "name"})
    assert told_reason.startswith("has a column that is none of allowed_ips, enabled, expires_at")
    assert KEY not in told_reason


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2030-01-01T00:00:00Z", IN_2030),
        ("2030-01-01 00:00:00+00", IN_2030),
        ("2030-01-01 00:00:00", IN_2030),
        ("2030-01-01", IN_2030),
        ("2030-01-01T02:00:00+02:00", IN_2030),
        (1_893_456_000, IN_2030),
        (1_893_456_000_000, IN_2030),
        ("1893456000", IN_2030),
        ("1893456000000", IN_2030),
        ("", None),
    ],
)
def test_moments_are_read_as_programs_and_databases_write_them(
    value: object, moment: datetime | None
) -> None:
    """A key that ends would never end here."""
    entry = one({"key": KEY, "expires_at": value})
    assert isinstance(entry, dict)
    assert entry.get("expires_at") == moment


@pytest.mark.parametrize("value", ["soon", "2030-13-01", [], {}, 10**300, float("nan"), -(10**30)])
def test_a_moment_that_is_none_is_refused(value: object) -> None:
    """A key whose end cannot be read must not live for ever."""
    assert reason({"key": KEY, "expires_at": value}) == (
        "has a expires_at that is not a time such as 2030-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("fields", "told_reason"),
    [
        ({"key": 7}, "has a key that is not text"),
        ({"key": "\udc80"}, "has a key that is not UTF-8"),
        ({"key": KEY, "name": "\udcff\udcfe"}, "has a name that is not UTF-8"),
        ({"key": KEY, "enabled": "perhaps"}, "has an enabled that is neither true nor false"),
        ({"key": KEY, "scopes": 7}, "has scopes that are not a list of words"),
        ({"key": KEY, "scopes": [7]}, "has scopes that are not a list of words"),
        ({"key": KEY, "metadata": "{"}, "has a metadata that is not valid JSON"),
        ({"key": KEY, "metadata": "[1]"}, "has a metadata that is not an object"),
    ],
)
def test_a_field_that_cannot_be_read_refuses_its_entry(fields: dict[str, Any], told_reason: str) -> None:
    """A bound that is not understood must not be left out."""
    assert reason(fields) == told_reason


@pytest.mark.parametrize(
    ("word", "flag"), [("t", True), ("YES", True), ("0", False), ("f", False), (1, True)]
)
def test_flags_are_read_as_programs_write_them(word: object, flag: bool) -> None:  # noqa: FBT001 - of a table
    """A key that was switched off there would be on here."""
    entry = one({"key": KEY, "enabled": word})
    assert isinstance(entry, dict)
    assert entry.get("enabled", True) is flag


# Kong


KONG = f"""
# decK
_format_version: "3.0"
consumers:
- username: ada
  keyauth_credentials:
  - key: {KEY}
    tags: [one, two]
  - just a text
- not a consumer
- custom_id: "17"
  keyauth_credentials:
  - key: {KEY}2
    ttl: 60
- id: 5f2b
keyauth_credentials:
- key: "{{vault://env/key}}"
- key: {KEY}3
  consumer: 1c9a
"""


def test_kongs_declarative_configuration_is_understood() -> None:
    """Who leaves Kong has this file at hand, with its keys inside of consumers and beside them."""
    found, entries = told(KONG)
    assert found is DumpFormat.KONG
    assert entries == [
        Unusable(1, "is a reference to a vault, not a key"),
        {"line": 2, "key": f"{KEY}3", "name": "1c9a", "metadata": {"kong_consumer": "1c9a"}},
        {
            "line": 3,
            "key": KEY,
            "name": "ada",
            "metadata": {"kong_consumer": "ada", "kong_tags": ["one", "two"]},
        },
        Unusable(4, "is not an object"),
        {
            "line": 5,
            "key": f"{KEY}2",
            "name": "17",
            "expires_at": datetime(2026, 7, 1, 12, 1, tzinfo=UTC),
            "metadata": {"kong_consumer": "17"},
        },
    ]


def test_kongs_configuration_as_json_is_understood() -> None:
    """The same file in its other spelling."""
    document = {
        "_format_version": "3.0",
        "consumers": [{"username": "a", "keyauth_credentials": [{"key": KEY}]}],
    }
    for text in (json.dumps(document), json.dumps(document, indent=1)):
        found, entries = told(text)
        assert found is DumpFormat.KONG
        assert entries == [{"line": 1, "key": KEY, "name": "a", "metadata": {"kong_consumer": "a"}}]


def test_kongs_api_and_its_table_are_understood() -> None:
    """Who has no declarative file asks the API, or the database."""
    answer = {"data": [{"key": KEY, "consumer": {"id": "1c9a"}, "ttl": 60, "tags": None}], "next": None}
    found, [entry] = told(json.dumps(answer))
    assert found is DumpFormat.KONG
    assert isinstance(entry, dict)
    assert entry["expires_at"] == datetime(2026, 7, 1, 12, 1, tzinfo=UTC)
    text = f"id,created_at,consumer_id,key,tags,ttl,ws_id\n1,2,1c9a,{KEY},{{a}},2030-01-01 00:00:00+00,w\n2,3,1c9a,{KEY}2,,,w\n"
    assert told(text) == (
        DumpFormat.KONG,
        [
            {
                "line": 2,
                "key": KEY,
                "name": "1c9a",
                "expires_at": IN_2030,
                "metadata": {"kong_consumer": "1c9a", "kong_tags": ["a"]},
            },
            {"line": 3, "key": f"{KEY}2", "name": "1c9a", "metadata": {"kong_consumer": "1c9a"}},
        ],
    )


def test_a_ttl_that_is_no_number_is_refused() -> None:
    """A key that ends would never end here."""
    assert reason({"key": KEY, "consumer": {}, "ttl": []}) == "has a ttl that is not a number"


def test_a_row_of_kong_may_have_no_consumer() -> None:
    """Told to read a list as Kong's, it is enough that there is a key."""
    assert one({"key": KEY, "ttl": 0}, DumpFormat.KONG) == {"line": 1, "key": KEY}


@pytest.mark.parametrize("text", ["---\n: : :\n- [", "consumers:\n- a: &a [*a, *b]\n"])
def test_yaml_that_is_none_is_refused(text: str) -> None:
    """A traceback would show the file, which holds keys."""
    with pytest.raises(InvalidRequest, match="not valid YAML"):
        told(text)


@pytest.mark.parametrize("text", ["---\njust a text\n", '{"data": 7}', "---\n7\n"])
def test_a_document_without_a_list_is_refused(text: str) -> None:
    """It holds no keys, whatever it is."""
    with pytest.raises(InvalidRequest, match="must hold a list of keys"):
        told(text)


def test_yaml_has_moments_of_its_own() -> None:
    """A list in YAML would lose the ends of its keys."""
    text = f"---\n- key: {KEY}\n  expires_at: 2030-01-01T00:00:00Z\n- key: {KEY}2\n  expires_at: 2030-01-01 00:00:00\n"
    entries = told(text, DumpFormat.JSONL)[1]
    assert [entry["expires_at"] for entry in entries if isinstance(entry, dict)] == [IN_2030, IN_2030]


# Unkey


def test_unkeys_table_is_understood() -> None:
    """Who leaves Unkey has the digests, not the keys."""
    row = {
        "hash": "digest",
        "start": "sk_l",
        "name": "a key",
        "key_auth_id": "ks_1",
        "workspace_id": "ws_1",
        "expires": "2030-01-01 00:00:00.000",
        "enabled": 1,
        "owner_id": "ada",
        "meta": '{"a": 1}',
        "deleted_at_m": None,
        "remaining_requests": None,
    }
    expected = {
        "line": 1,
        "hash": "digest",
        "scheme": "sha256",
        "prefix": "sk_l",
        "name": "a key",
        "expires_at": IN_2030,
        "metadata": {"a": 1, "unkey_owner": "ada"},
    }
    assert told(json.dumps(row)) == (DumpFormat.UNKEY, [expected])
    assert one({**row, "owner_id": None}) == {**expected, "metadata": {"a": 1}}
    assert one({**row, "enabled": 0}) == {**expected, "enabled": False}


@pytest.mark.parametrize(
    ("fields", "told_reason"),
    [
        ({"deleted_at_m": 1_700_000_000_000}, "was deleted there"),
        ({"remaining_requests": 5}, "has a number of remaining requests, which a key here cannot have"),
    ],
)
def test_a_key_of_unkey_that_would_be_more_here_is_refused(fields: dict[str, Any], told_reason: str) -> None:
    """A deleted key would come back, and one with five requests left have as many as its plan."""
    assert reason({"hash": "digest", "keyAuthId": "ks_1", **fields}) == told_reason


# djangorestframework-api-key


def test_the_table_of_djangorestframework_api_key_is_understood() -> None:
    """Who leaves it has hashes, and how each key begins."""
    text = (
        "id,created,name,revoked,expiry_date,hashed_key,prefix\n"
        "1,2026-01-01,a key,f,2030-01-01 00:00:00+00,pbkdf2_sha256$1$s$h,abcdefgh\n"
        "2,2026-01-01,a key,t,,pbkdf2_sha256$1$s$h,abcdefgi\n"
    )
    expected = {
        "hash": "pbkdf2_sha256$1$s$h",
        "scheme": "django",
        "prefix": "abcdefgh",
        "name": "a key",
        "expires_at": IN_2030,
    }
    assert told(text) == (DumpFormat.DRF, [{"line": 2, **expected}, Unusable(3, "was revoked there")])


def test_what_dumpdata_writes_is_understood() -> None:
    """Django's own way of writing a table down; what else is in it is passed by with a reason."""
    key = {
        "name": "a key",
        "hashed_key": "sha512$$ab",
        "prefix": "abcdefgh",
        "revoked": False,
        "expiry_date": None,
    }
    rows = [
        {"model": "rest_framework_api_key.apikey", "pk": 1, "fields": key},
        {"model": "auth.user", "pk": 1, "fields": {"username": "ada"}},
        {"model": "auth.user", "pk": 1, "fields": None},
    ]
    found, entries = told(json.dumps(rows))
    assert found is DumpFormat.DRF
    assert entries == [
        {"line": 1, "hash": "sha512$$ab", "scheme": "django", "prefix": "abcdefgh", "name": "a key"},
        Unusable(2, "is not an API key"),
        Unusable(3, "has no fields"),
    ]
