"""Bodies of requests and answers about gateways. Times are UTC microseconds."""

from __future__ import annotations

from typing import Literal

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
