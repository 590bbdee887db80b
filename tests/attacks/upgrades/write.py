"""Writes the installation of this program's schema into this folder: `python -m tests.attacks.upgrades.write`.

Run it before a new revision is added, with the program that the revision replaces; what is written is then never
changed, for it stands for the databases that people have.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, Final

from bonafides.store.tables import REVISION
from tests.attacks.cast import OWN_SCOPE
from tests.serving import FakeClock, RunningServer, running, settings_for

FOLDER: Final = Path(__file__).parent
PEPPER: Final = hashlib.sha256(b"pepper of the installations that tests upgrade").hexdigest()


def keys(server: RunningServer) -> dict[str, dict[str, Any]]:
    """One key in every state that a key can be in, with how it must fare."""
    admin = server.admin

    def key(expected: str, **wish: object) -> dict[str, Any]:
        made = server.create_key(**wish)
        return {"id": made["id"], "key": made["key"], "expected": expected, "scopes": made["scopes"]}

    found = {
        "good": key("accepted"),
        "with a scope of the operator's": key("accepted", scopes=["read", OWN_SCOPE]),
        "of a network": key("ip_not_allowed", allowed_ips=["192.0.2.0/24"]),
        "of this machine": key(
            "accepted", allowed_ips=["127.0.0.1/32", "::1/128"], metadata={"note": "\u00e9"}
        ),
        "long-lived": key("accepted", expires_in=10 * 365 * 86_400),
        "expired": key("token_expired", expires_in=60),
        "disabled": key("invalid_api_key"),
        "revoked": key("invalid_api_key"),
        "rotated": key("token_expired"),
        "child of a revoked one": key("invalid_api_key"),
    }
    admin.post(f"/v1/api-keys/{found['disabled']['id']}/disable")
    admin.request("DELETE", f"/v1/api-keys/{found['revoked']['id']}", json={"reason": "leaked"})
    made = admin.post(f"/v1/api-keys/{found['rotated']['id']}/rotate", json={"overlap_seconds": 60}).json()
    found["successor"] = {
        "id": made["id"],
        "key": made["key"],
        "expected": "accepted",
        "scopes": made["scopes"],
    }
    parent = found["child of a revoked one"]["id"]
    made = admin.post(f"/v1/api-keys/{parent}/rotate").json()
    found["child of a revoked one"] |= {"id": made["id"], "key": made["key"]}
    admin.delete(f"/v1/api-keys/{parent}")
    disabled = admin.post("/v1/users", json={"kind": "service", "name": "retired", "role": "member"}).json()
    found["of a disabled user"] = key("invalid_api_key", user_id=disabled["id"])
    admin.patch(f"/v1/users/{disabled['id']}", json={"status": "disabled"})
    return found


def main() -> None:
    """Found an installation, use it, and write down what is in its database."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "bonafides.db"
        settings = settings_for(f"sqlite:///{path}", Path(name), peppers=PEPPER, scopes=(OWN_SCOPE,))
        clock = FakeClock()
        with running(settings, clock) as server:
            found = keys(server)
            admin = server.founded.api_key
        connection = sqlite3.connect(path)
        dump = "\n".join(connection.iterdump())
        connection.close()
    (FOLDER / f"{REVISION}.sql").write_text(dump + "\n", encoding="utf-8")
    facts = {"pepper": PEPPER, "now_us": clock.now_us, "admin": admin, "keys": found}
    (FOLDER / f"{REVISION}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
