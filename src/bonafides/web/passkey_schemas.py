"""What is answered about passkeys, by the names of WebAuthn where browsers read it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bonafides.web.bodies import Moment
from bonafides.web.schemas import Factor, RecoveryCode

_BASE64URL = r"^[A-Za-z0-9_-]+$"


class PasskeyDescriptor(BaseModel):
    """A passkey, as browsers look for it."""

    type: Literal["public-key"]
    id: str = Field(pattern=_BASE64URL)
    transports: list[str] = Field(default=[])


class CreationOptions(BaseModel):
    """`PublicKeyCredentialCreationOptionsJSON`: for `PublicKeyCredential.parseCreationOptionsFromJSON`."""

    rp: dict[str, str]
    user: dict[str, str]
    challenge: str = Field(
        pattern=_BASE64URL, description="Serves once, within ten minutes, in this session."
    )
    pubKeyCredParams: list[dict[str, Any]]  # noqa: N815 - its name on the wire
    timeout: int
    excludeCredentials: list[PasskeyDescriptor]  # noqa: N815 - its name on the wire
    authenticatorSelection: dict[str, Any]  # noqa: N815 - its name on the wire
    attestation: Literal["none"]
    extensions: dict[str, Any]

    model_config = ConfigDict(extra="forbid")


class RequestOptions(BaseModel):
    """`PublicKeyCredentialRequestOptionsJSON`: for `PublicKeyCredential.parseRequestOptionsFromJSON`."""

    challenge: str = Field(pattern=_BASE64URL, description="Serves once, within ten minutes.")
    timeout: int
    rpId: str  # noqa: N815 - its name on the wire
    allowCredentials: list[PasskeyDescriptor]  # noqa: N815 - its name on the wire
    userVerification: Literal["required"]  # noqa: N815 - its name on the wire

    model_config = ConfigDict(extra="forbid")


class PasskeyFactor(BaseModel):
    """A passkey in use."""

    id: str = Field(pattern="^psk_[0-9A-Za-z]{22}$")
    object: Literal["factor"]
    kind: Literal["passkey"]
    name: str
    created_at: Moment
    last_used_at: Moment | None
    synced: bool = Field(description="Whether it has been copied to other devices of yours.")
    suspected_at: Moment | None = Field(
        description="When it counted backwards: somebody may have a copy, and it opens nothing any more."
    )

    model_config = ConfigDict(extra="forbid")


class FactorPage(BaseModel):
    """Every second factor in use."""

    data: list[Factor | PasskeyFactor]
    recovery_codes_left: int
    next_cursor: None


class AddedPasskey(PasskeyFactor):
    """A passkey was taken into use."""

    recovery_codes: list[RecoveryCode] = Field(
        description="Shown this once, where it is your first factor; else there are none."
    )
    ended_sessions: int
