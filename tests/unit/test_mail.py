"""Mails: handed to a real SMTP server, with TLS or not at all, tried again, and shown to developers alone."""

from __future__ import annotations

import asyncio
import secrets
import smtplib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from bonafides.errors import Unavailable
from bonafides.mail import WAITING_MAX, Letter, Mail, carrier_of
from bonafides.settings import Settings
from tests.elsewhere import certificate_in
from tests.unit.clocks import HandClock

LETTER = Letter("ada@example.com", "Ein Brief für Ada", "Grüße, und ein Wort: bf_rst_secret\n")


class Box:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.encrypted: list[bool] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002 - its name there
        """Take a message."""
        parsed: Message = message_from_bytes(envelope.content, policy=default)
        self.messages.append(cast(EmailMessage, parsed))
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate of this machine that is trusted here."""
    path = certificate_in(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


Serve = Callable[..., Awaitable[tuple[Box, int]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts mail servers; each tells its port."""
    started: list[asyncio.Server] = []

    async def start(ssl_context: ssl.SSLContext | None = None, **options: Any) -> tuple[Box, int]:
        box = Box()

        def protocol() -> SMTP:
            return SMTP(box, hostname="localhost", **options)

        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=ssl_context)
        started.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return box, port

    yield start
    for server in started:
        server.close()


def settings_of(port: int, **changes: Any) -> Settings:
    """Settings of a server that sends mails."""
    values: dict[str, Any] = {
        "smtp_host": "localhost",
        "smtp_port": port,
        "smtp_tls": "none",
        "mail_from": "auth@bonafides.example",
        **changes,
    }
    return Settings(**values)


def mail_of(settings: Settings) -> Mail:
    """Mail under these settings."""
    return Mail(carrier_of(settings), settings.mail_from, HandClock(), secrets.token_bytes)


async def post(mail: Mail, letter: Letter = LETTER) -> bool:
    """Hand a letter over; False where it is worth another try."""
    done = await mail.deliver(letter)
    await mail.close()
    return done


async def test_a_letter_arrives_as_it_was_written(serve: Serve) -> None:
    """Nobody could read what they are told, or a mail program would take it for spam."""
    box, port = await serve()
    await post(mail_of(settings_of(port)))
    (message,) = box.messages
    assert message["To"] == "ada@example.com"
    assert message["From"] == "auth@bonafides.example"
    assert message["Subject"] == "Ein Brief für Ada"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.year == 2030
    assert message["Message-ID"].endswith("@bonafides.example>")
    assert message.get_content().strip() == LETTER.text.strip()
    assert LETTER.text not in repr(LETTER)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_with_tls_nothing_crosses_in_the_clear(
    serve: Serve, certificate: ssl.SSLContext, tls: str
) -> None:
    """ASVS 12.2.1: whoever reads along would choose everybody's password."""
    options: dict[str, Any] = (
        {"tls_context": certificate, "require_starttls": True}
        if tls == "starttls"
        else {"ssl_context": certificate}
    )
    box, port = await serve(**options)
    await post(mail_of(settings_of(port, smtp_tls=tls)))
    assert box.encrypted == [True]


async def test_a_server_without_tls_or_with_a_strange_certificate_gets_nothing(
    serve: Serve, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ASVS 12.3.2: somebody in between would answer that there is no TLS, or show a certificate of their own."""
    box, port = await serve()
    await post(mail_of(settings_of(port, smtp_tls="starttls")))
    assert box.messages == []
    monkeypatch.delenv("SSL_CERT_FILE")
    for tls, options in (
        ("starttls", {"tls_context": certificate}),
        ("tls", {"ssl_context": certificate}),
    ):
        box, port = await serve(**options)
        await post(mail_of(settings_of(port, smtp_tls=tls)))
        assert box.messages == []


async def test_the_server_is_told_who_we_are(serve: Serve, certificate: ssl.SSLContext) -> None:
    """A server that asks for a password would take nothing."""

    def authenticate(*arguments: Any) -> AuthResult:
        given = arguments[4]
        right = given == LoginPassword(b"bonafides", b"a secret")
        return AuthResult(success=right, handled=False)

    box, port = await serve(tls_context=certificate, authenticator=authenticate, auth_required=True)
    who = {"smtp_tls": "starttls", "smtp_user": "bonafides"}
    await post(mail_of(settings_of(port, **who, smtp_password="wrong")))
    assert box.messages == []
    settings = settings_of(port, **who, smtp_password="a secret")
    await post(mail_of(settings))
    assert len(box.messages) == 1
    assert "a secret" not in repr(settings)


@pytest.mark.parametrize(
    ("failure", "done"),
    [
        (ConnectionRefusedError(), False),
        (smtplib.SMTPServerDisconnected(), False),
        (smtplib.SMTPRecipientsRefused({}), True),
    ],
)
async def test_what_failed_is_worth_another_try_unless_nobody_is_there(
    failure: Exception, *, done: bool
) -> None:
    """A mail server that restarts would swallow every reset of that minute, or be asked about nobody for days."""

    def carry(_: EmailMessage) -> None:
        raise failure

    mail = Mail(carry, "a@example.com", HandClock(), secrets.token_bytes)
    assert await post(mail) is done
    assert mail.works is done


async def test_what_takes_too_long_does_not_hold_the_end_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server would not stop while somebody's account is looked for."""
    monkeypatch.setattr("bonafides.mail.SETTLING_SECONDS_MAX", 0.05)
    mail = mail_of(Settings())
    mail.later(asyncio.sleep(60))
    await asyncio.wait_for(mail.close(), 20)


async def test_a_flood_is_bounded() -> None:
    """ASVS 2.4.1: whoever asks for mails without end would use up the memory."""
    mail = Mail(lambda _: None, "a@example.com", HandClock(), secrets.token_bytes)
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    for _ in range(WAITING_MAX + 5):
        mail.later(work())
    await mail.close()
    assert len(done) == WAITING_MAX


async def test_a_failure_of_what_nobody_waits_for_is_not_lost_in_silence() -> None:
    """A warning of the event loop would be the only trace."""
    mail = Mail(lambda _: None, "a@example.com", HandClock(), secrets.token_bytes)

    async def away() -> None:
        raise Unavailable(internal="the database is away")

    mail.later(away())
    await mail.close()


@pytest.mark.parametrize("to", ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com\n\nHello"])
async def test_no_header_is_smuggled_in(serve: Serve, to: str) -> None:
    """Attack 50: an address with a line in it would send the mail to somebody else, too."""
    box, port = await serve()
    await post(mail_of(settings_of(port)), Letter(to, "Subject", "text"))
    assert box.messages == []


async def test_without_a_server_a_developer_sees_it_and_production_sends_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """ASVS 16.2.5: a developer could not finish a reset, or the log of production would hold everybody's."""
    await post(mail_of(Settings()))
    shown = capfd.readouterr().err
    assert "mail> To: ada@example.com" in shown
    assert "bf_rst_secret" in shown
    safe: dict[str, Any] = {"production": True, "public_url": "https://auth.example.com"}
    mail = mail_of(Settings(**safe))
    assert not mail.is_set_up
    await post(mail)
    assert "bf_rst_secret" not in "".join(capfd.readouterr())


def test_mail_needs_a_sender() -> None:
    """Every mail would be refused, and nobody would know why."""
    with pytest.raises(ValueError, match="mail_from"):
        Settings(smtp_host="mail.example.com")
