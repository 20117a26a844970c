"""Bodies of requests and answers about accounts of the embedded broker. Times are UTC microseconds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from lineshaft.hub.api.models import Body


class Rights(Body):
    """What an account may."""

    description: str = Field("", max_length=200, description="what it is, for people")
    publish: list[str] = Field([], max_length=200, description="topics that it may publish on; + and # as usual")
    receive: list[str] = Field([], max_length=200, description="topics that it may receive")
    sparkplug: str = Field("", max_length=200, description="group/node when it is a Sparkplug edge node")


class NewAccount(Rights):
    """An account to make."""

    user: str = Field(max_length=64)
    password: str = Field("", max_length=200, description="empty: one is made up")


class NewPassword(Body):
    """Another password of an account."""

    password: str = Field("", max_length=200, description="empty: one is made up")


class AccountView(Rights):
    """An account."""

    user: str
    origin: Literal["plant", "page"] = Field(description="whether the plant's files or an administrator made it")
    changed: int | None = Field(description="null: it stands in the plant's files")
    by: str
    password_file: str = Field(description="in the data folder, of an account of the plant's files")
    connections: int = Field(description="how many peers use it now")
    address: str = Field(description="of the last peer that came in")
    came: int | None
    went: int | None
    refused: int | None = Field(description="when a peer was last turned away under this name")
    reason: str = Field(description="why")


class Accounts(BaseModel):
    """All accounts that are not the platform's own."""

    embedded: bool = Field(description="false: the plant uses another broker, whose accounts are made there")
    address: str = Field(description="host:port of the embedded broker, or the URL of the other one")
    items: list[AccountView]
    next: str | None = None


class MadeAccount(AccountView):
    """A new account, or one with another password."""

    password: str = Field(description="it cannot be read again")
