"""Accounts of the embedded broker for devices that are not the gateway's own: who they are and what they may."""

from __future__ import annotations

from typing import Final, Self

from pydantic import field_validator, model_validator

from lineshaft.config.section import Section, key

_OURS: Final = ("spBv1.0", "#", "+")
"""First levels of filters that reach into the namespace in which gateways speak."""


class BrokerAccountConfig(Section):
    """A device, program or person that may use the embedded broker."""

    user: str = key(..., "User name.", pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    publish: tuple[str, ...] = key((), "Topics that it may publish on, like press-7/#; + and # as usual.")
    receive: tuple[str, ...] = key((), "Topics that it may receive.")
    sparkplug: str = key("", "group/node when it is a Sparkplug edge node: then it may what such a node needs.")
    password_file: str = key(
        "",
        "File whose first line is the password, relative to the data folder. <user>.password when empty, which is made "
        "with a random password.",
    )
    description: str = key("", "What it is, for people.")

    @field_validator("publish", "receive")
    @classmethod
    def _filters(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for topic in value:
            levels = topic.split("/")
            if any(("+" in level or "#" in level) and len(level) > 1 for level in levels) or "#" in levels[:-1]:
                raise ValueError(f"'{topic}' is no topic: + stands alone for a level, # alone for the last ones")
            if not topic or "\0" in topic or topic.startswith("$"):
                raise ValueError(f"'{topic}' is no topic of devices")
        return value

    @field_validator("sparkplug")
    @classmethod
    def _node(cls, value: str) -> str:
        parts = value.split("/")
        if value and (len(parts) != 2 or not all(parts) or any(sign in value for sign in "+#")):
            raise ValueError("a Sparkplug node is written group/node")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for topic in self.publish:
            if topic.split("/")[0] in _OURS:
                raise ValueError(
                    f"publish: {topic} would let it speak for gateways; begin with a level of its own, or set sparkplug"
                )
        if not self.publish and not self.receive and not self.sparkplug:
            raise ValueError("may nothing; give publish, receive or sparkplug")
        return self
