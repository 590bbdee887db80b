"""Questions that are asked all the time: those that come while others are under way share the next trip to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_TOGETHER_MAX: Final = 256


class Gathering(Generic[K, V]):
    """Answers each question as the database does at some moment after it was asked; equal ones in one trip are one.

    Args:
        ask: Answers so many different questions at once; what it leaves out has no answer.
    """

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._worker: asyncio.Task[None] | None = None

    async def find(self, question: K) -> V | None:
        """The answer; None if there is none.

        Raises:
            Unavailable: The database cannot be asked.
        """
        answer = self._waiting.get(question)
        if answer is None:
            answer = self._waiting[question] = asyncio.get_running_loop().create_future()
            if self._worker is None:
                self._worker = asyncio.create_task(self._work())
        # Others may wait for the same answer when whoever asked first has left.
        return await asyncio.shield(answer)

    async def _work(self) -> None:
        try:
            while self._waiting:
                questions = list(self._waiting)[:_TOGETHER_MAX]
                await self._answer({question: self._waiting.pop(question) for question in questions})
        finally:
            self._worker = None

    async def _answer(self, asked: Mapping[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._ask(list(asked))
        except Exception as error:  # noqa: BLE001 - raised where the answers are awaited
            for answer in asked.values():
                answer.set_exception(error)
                answer.exception()  # marked as seen: whoever asked may have left
            return
        for question, answer in asked.items():
            answer.set_result(found.get(question))
