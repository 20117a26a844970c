"""Bodies of requests and answers about gateways. Times are UTC microseconds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from lineshaft.hub.api.models import Body
from lineshaft.hub.state.configurations import VersionState


class Pong(BaseModel):
    """The gateway answered."""

    milliseconds: float = Field(description="there and back")
    version: str = Field(description="of Lineshaft at the gateway")


class ProblemView(BaseModel):
    """One mistake in a configuration, as `lineshaft check` tells it."""

    file: str
    line: int
    key: str
    value: str
    message: str
    allowed: str


class VersionView(BaseModel):
    """One version of a configuration."""

    number: int
    digest: str = Field(description="SHA-256 of its files")
    time: int
    by: str = Field(description="who made it; '' for what was found at the gateway")
    why: str
    state: VersionState
    decided: int = Field(description="when it came into this state")
    words: str = Field(description="why it was refused or rolled back, or what is still missing")
    problems: list[ProblemView]


class FileChangeView(BaseModel):
    """How one file differs."""

    name: str
    added: int
    removed: int
    lines: list[str] = Field(description="a unified diff without its head")


class VersionDetail(VersionView):
    """A version with its files."""

    files: dict[str, str] = Field(description="name -> text")
    against: int | None = Field(description="the version that it is compared with")
    changes: list[FileChangeView]


class Configuration(BaseModel):
    """What a gateway runs, and its versions."""

    node: str
    reachable: bool = Field(description="it is there and takes configurations")
    digest: str = Field(description="of the files that it runs; '' while it is not known")
    running: int | None = Field(description="the version with these files")
    state: Literal["settled", "trying", "rolled-back"] | None
    words: str
    versions: list[VersionView]
    next: str | None


class NewVersion(Body):
    """Changed files, and why."""

    base: str = Field(min_length=64, max_length=64, description="digest of what was changed")
    files: dict[str, str | None] = Field(max_length=500, description="name -> new text; null removes the file")
    why: str = Field("", max_length=1000)


class Restore(Body):
    """Why an older version shall come back."""

    why: str = Field(max_length=1000)


class Checked(BaseModel):
    """The gateway would take it."""

    devices: int


class AddressAsked(Body):
    """An address as people write it, like `opc.tcp://10.0.0.5:4840` or `mtconnect http://10.0.0.5:5000`."""

    address: str = Field(min_length=1, max_length=1000)


class Target(BaseModel):
    """How to reach a device."""

    driver: str
    title: str
    connection: dict[str, Any] = Field(description="options of the driver")


class TestAsked(Body):
    """What to try."""

    driver: str = Field(max_length=64)
    connection: dict[str, Any]


class FindingView(BaseModel):
    """One step of a connection test."""

    check: str
    passed: bool
    detail: str
    mend: str


class ProposalView(BaseModel):
    """A device profile that may fit."""

    profile: str
    title: str
    why: str
    sure: bool = Field(description="the device itself says so")
    connection: dict[str, Any] = Field(description="options that it needs beside the profile's")
    share: float = Field(description="of its values that were read and can be right")


class ProfileView(BaseModel):
    """A device profile of this protocol."""

    profile: str
    title: str
    signals: int


class TrustEntry(BaseModel):
    """A certificate of an OPC UA server."""

    thumbprint: str = Field(description="SHA-1, as servers show it")
    state: Literal["trusted", "rejected"]
    subject: str
    application_uri: str
    not_after: str


class Tested(BaseModel):
    """What a connection test found."""

    connection: dict[str, Any] = Field(description="completed: an OPC UA server's best security")
    passed: bool
    findings: list[FindingView]
    browses: bool = Field(description="the device can list what it has")
    identity: dict[str, Any]
    proposals: list[ProposalView]
    profiles: list[ProfileView]
    trust: TrustEntry | None = Field(description="the certificate that must be accepted first")


class BrowseAsked(TestAsked):
    """Where to look; '' is the whole device."""

    parent: str = Field("", max_length=1000)


class FoundItem(BaseModel):
    """A value on the device, and what it probably is."""

    address: str
    path: str = Field(description="names of what it is below, joined with /")
    label: str
    datatype: str | None
    description: str
    name: str
    kind: str
    unit: str
    decimals: int | None
    states: dict[str, str]
    why: str = Field(description="where kind and unit come from")
    waveform: dict[str, str] = Field(
        default_factory=dict, description="of a waveform: rate_address and speed_address, where the device has them"
    )


class Found(BaseModel):
    """What a device has."""

    items: list[FoundItem]
    complete: bool = Field(description="false: there is more")


class PreviewAsked(TestAsked):
    """Signals to read: those of a profile, and others with the keys of a plant file."""

    profile: str = Field("", max_length=100)
    signals: list[dict[str, Any]] = Field(default_factory=list, max_length=5000)


class PreviewSignal(BaseModel):
    """A signal that is read."""

    name: str
    kind: str
    unit: str
    decimals: int | None
    states: dict[str, str]
    description: str


class PreviewRow(BaseModel):
    """What a signal shows now."""

    name: str
    value: float | None
    text: str | None
    quality: int
    word: str
    time: int


class Previewed(BaseModel):
    """Signals, and what they show now."""

    signals: list[PreviewSignal]
    rows: list[PreviewRow]


class TrustAsked(Body):
    """What to do about a certificate."""

    action: Literal["list", "accept", "reject"] = "list"
    thumbprint: str = Field("", max_length=100)


class TrustList(BaseModel):
    """Certificates that OPC UA servers have shown to the gateway."""

    entries: list[TrustEntry]


class AddDevice(Body):
    """A device with the keys of a plant file, and equipment that is new."""

    device: dict[str, Any]
    equipment: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="path below the site -> name, level, type"
    )
    why: str = Field("", max_length=1000)
