"""The generated reference is what the code says today."""

from __future__ import annotations

from pathlib import Path

from bonafides.errors import WIRE_CODES
from bonafides.settings import Settings
from docs import generate
from tests.serving import running, settings_for


def test_the_reference_is_up_to_date() -> None:
    """An operator would look for a setting that is gone, or miss one that is new."""
    assert generate.stale(generate.REFERENCE) == []


def test_a_changed_missing_or_foreign_page_is_noticed(tmp_path: Path) -> None:
    """A check that notices nothing would let the reference drift."""
    folder = tmp_path / "reference"
    assert generate.stale(folder) == sorted(generate.PAGES)
    generate.write(folder)
    assert generate.stale(folder) == []
    (folder / "errors.md").write_text("edited by hand")
    (folder / "settings.md").unlink()
    (folder / "old.md").write_text("of a page that is no more")
    assert generate.stale(folder) == ["errors.md", "old.md", "settings.md"]
    generate.write(folder)
    assert generate.stale(folder) == []


def test_every_setting_and_error_is_in_the_reference() -> None:
    """A generator that skips a row would pass its own check."""
    settings, errors = generate.settings_page(), generate.errors_page()
    assert all(f"| `{name}` |" in settings for name in Settings.model_fields)
    assert all(f"| `{code}` |" in errors for code in WIRE_CODES)


def test_the_description_in_the_reference_is_what_a_server_answers(sqlite_url: str, tmp_path: Path) -> None:
    """Who generates a client from the file would call a server that does not exist."""
    written = (generate.REFERENCE / "openapi.yaml").read_text(encoding="utf-8")
    with running(settings_for(sqlite_url, tmp_path, public_url=Settings().base_url)) as server:
        answered = server.client().get("/openapi.yaml").text
    assert written == generate.HEADINGS[".yaml"] + answered
    assert "/v1/api-keys:" in answered
