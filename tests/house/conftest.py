"""What tests of our own pytest plugins share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _plugins_by_name(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others' plugins take seconds to load
