"""The cold path: misses that meet share one look-up, and one trip to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bonafides.errors import Unavailable
from bonafides.model import DigestedSecret, Verifiable
from bonafides.secret import Peppers, Shape, same, shape
from bonafides.store import CredentialStore
from bonafides.verification.foreign import Foreign
from bonafides.verification.resident import Resident, ResidentIndex

_BATCH_MAX: Final = 256
_UNKNOWN_A_SECOND: Final = 200
"""More than that are a flood: people mistype one now and then, and a program that lost its key sends the same one."""
_GATHER_SECONDS: Final = 0.2

Redigest = Callable[[str, DigestedSecret], None]
"""Told of a credential that was found by another digest than its own under the newest pepper, with that."""

Answer = asyncio.Future[Resident | None]


class Question(NamedTuple):
    """What one look-up asks.

    Args:
        digest: By which what is found will be known.
        candidates: The digests that it may have now.
        epoch: Of the index, when these were known to be all.
        final: Whether it is nobody's credential if nothing is found.
    """

    digest: bytes
    candidates: tuple[bytes, ...]
    epoch: int
    final: bool = True


class Flood:
    """Whether more unknown credentials come than people and programs send by mistake."""

    def __init__(self) -> None:
        self._since = 0.0
        self._noted = 0
        self._last = 0

    def note(self) -> None:
        """Count one that is nobody's."""
        self._noted += 1

    def is_on(self, now: float) -> bool:
        """Whether this second or the last one had too many.

        Args:
            now: In seconds, by a clock that never goes back.
        """
        seconds = int(now - self._since)
        if seconds:
            self._last = self._noted if seconds == 1 else 0
            self._since, self._noted = now, 0
        return max(self._last, self._noted) > _UNKNOWN_A_SECOND


class LookUps:
    """Asks the store for credentials that are not in memory.

    While one batch is under way, misses gather for the next. Misses on one credential wait for the
    same answer, unless a change was applied since it was asked for: an answer from before a revocation
    is never given to a request from after it.

    While strangers send unknown credentials in a flood, batches are a fifth of a second apart: whoever waits for
    each answer then asks less often, and the processor is left to those who are known.

    Args:
        store: Where credentials are.
        index: Takes in what was found and what was not.
        peppers: Every pepper in force; older digests are looked up too.
        foreign: Knows by what else a string may be found that has no look of ours.
        redigest: Called for what was stored under an outdated pepper, or by what another program kept of it.
    """

    def __init__(
        self,
        store: CredentialStore,
        index: ResidentIndex,
        peppers: Peppers,
        foreign: Foreign,
        redigest: Redigest,
    ) -> None:
        self._store = store
        self._index = index
        self._peppers = peppers
        self._foreign = foreign
        self._redigest = redigest
        self._waiting: dict[bytes, tuple[Question, Answer]] = {}
        self._under_way: dict[bytes, tuple[Question, Answer]] = {}
        self._epoch = -1
        self._flood = Flood()
        self._worker: asyncio.Task[None] | None = None

    async def find(self, credential: bytes, digest: bytes) -> Resident | None:
        """The credential as the database has it at some moment after this call began; None if unknown.

        Raises:
            Unavailable: The database cannot be asked.
        """
        own = Question(digest, (digest, *self._peppers.older(credential)), self._index.epoch)
        if not self._foreign.expected or shape(credential) is not Shape.UNKNOWN:
            return await self._answer(digest, own)
        return await self._find_foreign(credential, own)

    async def _find_foreign(self, credential: bytes, own: Question) -> Resident | None:
        """The same for a string that may have been imported: first by its digests, then by slow hashes."""
        clues = await self._foreign.clues(credential)
        question = own._replace(candidates=(*own.candidates, *clues.digests), final=not clues.hashes)
        found = await self._answer(own.digest, question)
        if found is not None or question.final:
            return found
        kept = await self._foreign.match(credential, own.digest, clues.hashes)
        if kept is None:
            self._index.note_miss(own.digest, own.epoch)
            return None
        # Under the hash's own name: a look-up by the string alone may be under way, and finds nothing.
        return await self._answer(kept, own._replace(candidates=(own.digest, kept)))

    async def _answer(self, name: bytes, question: Question) -> Resident | None:
        """The answer to a question that is under way or waits by this name, or else to this one."""
        asked = self._under_way.get(name) if self._epoch == self._index.epoch else None
        if asked is None or asked[0].epoch < question.epoch:
            asked = self._waiting.get(name)
            # The younger question stands for both: it may know of an import that the older one does not.
            asked = (question, asyncio.get_running_loop().create_future() if asked is None else asked[1])
            self._waiting[name] = asked
            if self._worker is None:
                self._worker = asyncio.create_task(self._work())
        return await asyncio.shield(asked[1])

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._flood.is_on(asyncio.get_running_loop().time()):
                    await asyncio.sleep(_GATHER_SECONDS)
                keys = list(self._waiting)[:_BATCH_MAX]
                batch = {key: self._waiting.pop(key) for key in keys}
                self._under_way = batch
                self._epoch = self._index.epoch
                await self._ask(batch, self._epoch)
                self._under_way = {}
        finally:
            self._worker = None

    async def _ask(self, batch: Mapping[bytes, tuple[Question, Answer]], epoch: int) -> None:
        digests = [digest for question, _ in batch.values() for digest in question.candidates]
        try:
            found = await self._store.find_verifiable(digests)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            for _, answer in batch.values():
                _fail(answer, error)
            return
        for question, answer in batch.values():
            try:
                answer.set_result(self._take_in(question, found, epoch))
            except Exception as error:  # noqa: BLE001 - a bad row harms its own waiters alone, and none waits for ever
                _fail(answer, error)

    def _take_in(self, question: Question, found: Mapping[bytes, Verifiable], epoch: int) -> Resident | None:
        matches = [found[digest] for digest in question.candidates if digest in found]
        if not matches:
            if question.final:
                self._flood.note()
                self._index.note_miss(question.digest, min(epoch, question.epoch))
            return None
        # Two, where one key was imported in two forms: the first stays what it is, and the other nothing.
        match = min(matches, key=lambda verifiable: verifiable.id)
        if len(matches) == 1 and not same(match.digest, question.digest):
            self._redigest(match.id, DigestedSecret(question.digest, self._peppers.newest_id))
        return self._index.admit(match, question.digest, epoch)


def _fail(answer: asyncio.Future[Resident | None], error: Exception) -> None:
    answer.set_exception(error if isinstance(error, Unavailable) else Unavailable(internal=repr(type(error))))
    answer.exception()  # marked as seen: whoever asked may have left
