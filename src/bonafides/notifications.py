"""Which letters a person gets: those that tell of a thief are sent in any case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bonafides.audit import Recorder
from bonafides.authority import Authority
from bonafides.directory import Directory, require_self_or_administration
from bonafides.errors import InvalidRequest
from bonafides.model import Topic, User, UserKind
from bonafides.store import NotificationStore

ADMINS_TOPICS: Final = frozenset({Topic.WEBHOOKS})
"""Of these, who administers nothing is never told."""


@dataclass(frozen=True, slots=True)
class Notifications:
    """What somebody is told of by mail.

    Args:
        user: Who.
        wanted: For each topic that may be switched off, whether they want it.
    """

    user: User
    wanted: Mapping[Topic, bool]


class NotificationSettings:
    """Shows and changes which letters a person gets.

    Args:
        store: Where that is kept.
        directory: Whose they are.
        recorder: Makes audit events.
    """

    def __init__(self, store: NotificationStore, directory: Directory, recorder: Recorder) -> None:
        self._store = store
        self._directory = directory
        self._recorder = recorder

    async def get(self, authority: Authority, user_id: str) -> Notifications:
        """What a person is told of: one's own, or with `admin` that of somebody else.

        Raises:
            Forbidden: It is somebody else's, and the caller does not administer the tenant.
            NotFound: There is no such user, or they are not the caller's to see.
            InvalidRequest: It is a service, which gets no letters.
        """
        require_self_or_administration(authority, user_id)
        user = await self._directory.user(authority, user_id)
        if user.kind is not UserKind.PERSON:
            message = "A service gets no letters: name a person."
            raise InvalidRequest(message, field="user_id")
        unwanted = (await self._store.unwanted_topics([user.id])).get(user.id, frozenset())
        return Notifications(user, {topic: topic not in unwanted for topic in Topic})

    async def change(self, authority: Authority, user_id: str, wanted: Mapping[Topic, bool]) -> Notifications:
        """Switch topics on and off; those that are left out stay.

        Raises:
            Forbidden: It is somebody else's, and the caller does not administer the tenant, or is less powerful.
            NotFound: There is no such user, or they are not the caller's to see.
            InvalidRequest: It is a service, which gets no letters.
        """
        current = await self.get(authority, user_id)
        user = current.user
        if user.id != authority.user_id:
            authority.require_rank(user.role, user.tenant_id, f"change what an {user.role} is told of")
        changed = {**current.wanted, **wanted}
        if changed != current.wanted:
            unwanted = frozenset(str(topic) for topic in Topic if not changed[topic])
            event = self._recorder.event(
                "user.notifications_changed",
                authority.actor,
                user.tenant_id,
                user.id,
                {"unwanted": sorted(unwanted)},
            )
            await self._store.set_unwanted_topics(user.id, unwanted, event)
        return Notifications(user, changed)
