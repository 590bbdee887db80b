"""Which letters people want, and who is told of what concerns a whole tenant."""

from __future__ import annotations

from bonafides.model import Role, Status, UserChanges, UserKind
from bonafides.store.sql import SqlStore
from tests.store.databases import run_sql
from tests.store.records import event, tenant, user


async def test_what_somebody_wants_none_of_is_kept_with_its_event(url: str, store: SqlStore) -> None:
    """Whoever switched letters off would get them again, or nobody could see who did that."""
    await store.create_user(user("usr_b", "ten_a"), event())
    before = await run_sql(url, "SELECT count(*) FROM audit_events")
    for topics in ({"new_places"}, {"new_places", "expiring_credentials"}):
        await store.set_unwanted_topics("usr_b", frozenset(topics), event("user.notifications_changed"))
        assert await store.unwanted_topics(["usr_b", "usr_owner"]) == {"usr_b": frozenset(topics)}
    await store.set_unwanted_topics("usr_b", frozenset(), event("user.notifications_changed"))
    assert not (await store.unwanted_topics(["usr_b"]))["usr_b"]
    assert await store.unwanted_topics([]) == {}
    ((count,),) = before
    assert await run_sql(url, "SELECT count(*) FROM audit_events") == [(count + 3,)]


async def test_only_who_administers_a_tenant_and_can_be_written_to_is_told(store: SqlStore) -> None:
    """A member would hear what is none of theirs, or a customer what is another one's."""
    await store.create_tenant(tenant("ten_b"), event())
    for name, role in (
        ("owner", Role.OWNER),
        ("admin", Role.ADMIN),
        ("member", Role.MEMBER),
        ("gone", Role.ADMIN),
    ):
        await store.create_user(user(f"usr_b_{name}", "ten_b", role=role), event())
    service = user("usr_b_service", "ten_b", role=Role.ADMIN, kind=UserKind.SERVICE, email=None)
    await store.create_user(service, event())
    await store.change_user("usr_b_gone", "ten_b", UserChanges(status=Status.DISABLED), event())
    found = await store.admins_of("ten_b", 9)
    assert sorted(admin.id for admin in found) == ["usr_b_admin", "usr_b_owner"]
    assert len(await store.admins_of("ten_b", 1)) == 1
