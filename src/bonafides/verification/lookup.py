"""The cold path: misses that meet share one look-up, and one trip to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from bonafides.errors import Unavailable
from bonafides.model import DigestedSecret, Verifiable
from bonafides.secret import Peppers
from bonafides.store import CredentialStore
from bonafides.verification.resident import Resident, ResidentIndex

_BATCH_MAX: Final = 256

Redigest = Callable[[str, DigestedSecret], None]
"""Told of a credential that was found under an outdated pepper, with its digest under the newest."""


class LookUps:
    """Asks the store for credentials that are not in memory.

    While one batch is under way, misses gather for the next. Misses on one credential wait for the
    same answer, unless a change was applied since it was asked for: an answer from before a revocation
    is never given to a request from after it.

    Args:
        store: Where credentials are.
        index: Takes in what was found and what was not.
        peppers: Every pepper in force; older digests are looked up too.
        redigest: Called for what was stored under an outdated pepper.
    """

    def __init__(
        self, store: CredentialStore, index: ResidentIndex, peppers: Peppers, redigest: Redigest
    ) -> None:
        self._store = store
        self._index = index
        self._peppers = peppers
        self._redigest = redigest
        self._waiting: dict[bytes, tuple[tuple[bytes, ...], asyncio.Future[Resident | None]]] = {}
        self._under_way: dict[bytes, asyncio.Future[Resident | None]] = {}
        self._epoch = -1
        self._worker: asyncio.Task[None] | None = None

    async def find(self, credential: bytes, digest: bytes) -> Resident | None:
        """The credential as the database has it at some moment after this call began; None if unknown.

        Raises:
            Unavailable: The database cannot be asked.
        """
        answer = self._under_way.get(digest) if self._epoch == self._index.epoch else None
        if answer is None:
            entry = self._waiting.get(digest)
            if entry is None:
                answer = asyncio.get_running_loop().create_future()
                self._waiting[digest] = ((digest, *self._peppers.older(credential)), answer)
            else:
                answer = entry[1]
            if self._worker is None:
                self._worker = asyncio.create_task(self._work())
        return await asyncio.shield(answer)

    async def _work(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[:_BATCH_MAX]
                batch = {key: self._waiting.pop(key) for key in keys}
                self._under_way = {key: answer for key, (_, answer) in batch.items()}
                self._epoch = self._index.epoch
                await self._ask(batch, self._epoch)
                self._under_way = {}
        finally:
            self._worker = None

    async def _ask(
        self,
        batch: dict[bytes, tuple[tuple[bytes, ...], asyncio.Future[Resident | None]]],
        epoch: int,
    ) -> None:
        digests = [digest for candidates, _ in batch.values() for digest in candidates]
        try:
            found = await self._store.find_verifiable(digests)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            for _, answer in batch.values():
                _fail(answer, error)
            return
        for key, (candidates, answer) in batch.items():
            try:
                answer.set_result(self._take_in(key, candidates, found, epoch))
            except Exception as error:  # noqa: BLE001 - a bad row harms its own waiters alone, and none waits for ever
                _fail(answer, error)

    def _take_in(
        self, key: bytes, candidates: tuple[bytes, ...], found: Mapping[bytes, Verifiable], epoch: int
    ) -> Resident | None:
        match = next((found[digest] for digest in candidates if digest in found), None)
        if match is None:
            self._index.note_miss(key, epoch)
            return None
        if match.pepper_id != self._peppers.newest_id:
            self._redigest(match.id, DigestedSecret(key, self._peppers.newest_id))
        return self._index.admit(match, key, epoch)


def _fail(answer: asyncio.Future[Resident | None], error: Exception) -> None:
    answer.set_exception(error if isinstance(error, Unavailable) else Unavailable(internal=repr(type(error))))
    answer.exception()  # marked as seen: whoever asked may have left
