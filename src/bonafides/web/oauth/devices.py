"""`/device`: where a person types the code that a device shows, and says whether it may have access."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from bonafides.errors import AppError, InvalidRequest, NotFound, TooManyRequests
from bonafides.oauth.authorize import Person
from bonafides.oauth.devices import Devices, Waiting
from bonafides.verification.limiter import group_of
from bonafides.web.guard import SCOPES_KEY, exchange_of
from bonafides.web.oauth.authorize import AuthorizePages, scopes_in_words
from bonafides.web.pages.reception import PageForm, PageRoute, Reader, SignedIn
from bonafides.web.pages.rendering import Pages
from bonafides.web.problems import STATUS

DEVICE: Final = "/device"
DECISION: Final = "/device/decision"
CODE_MAX: Final = 100

_ANYBODY: Final[dict[str, Any]] = {SCOPES_KEY: []}


class DevicePages:
    """Answers the pages for devices.

    Args:
        devices: Finds and decides.
        people: Knows how people signed in.
        pages: Renders.
    """

    def __init__(self, devices: Devices, people: AuthorizePages, pages: Pages) -> None:
        self._devices = devices
        self._people = people
        self._pages = pages

    def ask(self, request: Request, user_code: str, error: AppError | None = None) -> Response:
        """The form for the code; one that came in the address is filled in, and never taken for typed."""
        headers = []
        if isinstance(error, TooManyRequests):
            headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
        if error is not None:
            exchange_of(request).outcome = error.code
        return self._pages.render(
            request,
            "device.html",
            status=200 if error is None else STATUS[type(error)],
            headers=headers,
            user_code=user_code,
            error=error,
        )

    async def show(self, request: Request, reader: SignedIn, form: dict[str, str]) -> Response:
        """What the device that shows this code asks for."""
        user_code = form.get("user_code", "")[:CODE_MAX]
        try:
            waiting = await self._find(request, reader, user_code)
        except (InvalidRequest, TooManyRequests) as error:
            return self.ask(request, user_code, error)
        return self._pages.render(
            request,
            "device_consent.html",
            client=waiting.client,
            user_code=user_code,
            address=waiting.device.address,
            resources=waiting.device.resources,
            scopes=scopes_in_words(waiting.scopes),
            unchecked=waiting.client.registered and waiting.client.created_by is None,
        )

    async def decide(self, request: Request, reader: SignedIn, form: dict[str, str]) -> Response:
        """Take a person's answer; whatever it is not is no."""
        user_code = form.get("user_code", "")[:CODE_MAX]
        allowed = form.get("decision") == "allow"
        try:
            waiting = await self._find(request, reader, user_code)
        except (InvalidRequest, TooManyRequests) as error:
            return self.ask(request, user_code, error)
        person = await self._person(reader)
        if not await self._devices.decide(waiting, person, reader.authority.actor, allowed=allowed):
            return self.ask(request, "", _unknown())
        return self._pages.render(request, "device_done.html", client=waiting.client, allowed=allowed)

    async def _find(self, request: Request, reader: SignedIn, user_code: str) -> Waiting:
        address = group_of(exchange_of(request).address or "")
        waiting = await self._devices.find(user_code, await self._person(reader), address)
        if waiting is None:
            raise _unknown()
        return waiting

    async def _person(self, reader: SignedIn) -> Person:
        person = await self._people.person(reader)
        if person is None:
            message = "Sign in with your password to answer this."
            raise NotFound(message)
        return person


def _unknown() -> InvalidRequest:
    message = "No device waits under this code. Compare it with what the device shows; after ten minutes, it shows a new one."
    return InvalidRequest(message, field="user_code")


def routes(pages: DevicePages) -> APIRouter:
    """The routes of the pages for devices."""
    router = APIRouter(include_in_schema=False, route_class=PageRoute)

    @router.get(DEVICE, openapi_extra=_ANYBODY)
    async def ask(request: Request, user_code: Annotated[str, Query(max_length=CODE_MAX)] = "") -> Response:
        return pages.ask(request, user_code)

    @router.post(DEVICE, openapi_extra=_ANYBODY)
    async def show(request: Request, reader: Reader, form: PageForm) -> Response:
        return await pages.show(request, reader, form)

    @router.post(DECISION, openapi_extra=_ANYBODY)
    async def decide(request: Request, reader: Reader, form: PageForm) -> Response:
        return await pages.decide(request, reader, form)

    return router
