"""Connects a vibration sensor to its machine: what a person chose becomes a plant file of the sensor's gateway."""

from __future__ import annotations

import re
from typing import Annotated, Any

import yaml
from anyio import to_thread
from fastapi import APIRouter, Body
from pydantic import BaseModel, Field, ValidationError

from lineshaft.config.bundle import Bundle
from lineshaft.config.vibration import VibrationSensorConfig
from lineshaft.config.write import section_file
from lineshaft.errors import DataError, RetryableError
from lineshaft.hub.api.gateway_models import VersionView
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.routers.gateways import version_view
from lineshaft.hub.api.services import Caller, Configs, Parts, Services, needs
from lineshaft.hub.configuration import Configurations
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.model.equipment import SignalKind

router = APIRouter(prefix="/maintenance", tags=["maintenance"], dependencies=[needs(Role.ENGINEER)])
SECTION = "vibration_sensors"
Keys = Annotated[dict[str, Any], Body(description="keys of a vibration sensor as in a plant file, without `signal`")]


class SensorDraft(BaseModel):
    """The plant file that a sensor would get."""

    node: str
    files: dict[str, str] = Field(description="name -> text")


@router.post("/sensors/{signal}/draft")
def draft(signal: int, keys: Keys, parts: Parts, configs: Configs, caller: Caller) -> SensorDraft:
    """The plant file of a vibration sensor, without using it."""
    one = _waveform(parts, signal)
    running, _ = _running(parts, configs, one.born.node)
    return SensorDraft(node=one.born.node, files=sensor_files(_below(one), keys, running, caller.name))


@router.post("/sensors/{signal}/setup", status_code=201)
async def setup(signal: int, keys: Keys, parts: Parts, configs: Configs, caller: Caller) -> VersionView:
    """Make a version of the gateway's configuration with the sensor, once the gateway has checked it."""
    one = _waveform(parts, signal)
    node = one.born.node
    running, digest = await to_thread.run_sync(_running, parts, configs, node)
    files = sensor_files(_below(one), keys, running, caller.name)
    await configs.check(node, {**running, **files}, by=caller.name)
    why = f"vibration sensor {_below(one)}"
    made = await configs.make(node, dict(files), base=digest, by=caller.name, why=why)
    configs.wake()
    return version_view(made)


def _waveform(parts: Services, signal: int) -> CataloguedSignal:
    one = parts.state.catalogue.by_id(signal)
    if one is None:
        raise NotFound(f"there is no signal {signal}")
    if one.born.signal.kind is not SignalKind.WAVEFORM:
        raise DataError(f"{one.path} is a {one.born.signal.kind}, not a waveform")
    return one


def _below(one: CataloguedSignal) -> str:
    """Path below the site, as plant files have it."""
    return one.path.split("/", 2)[2]


def _running(parts: Services, configs: Configurations, node: str) -> tuple[Bundle, str]:
    """(files, digest) of what the gateway runs. Raises RetryableError in the seconds before it has told it."""
    status = configs.status(node)
    version = None if status is None else parts.state.configurations.of_digest(node, status.digest)
    if status is None or version is None or version.files is None:
        hint = "Wait until the gateway is online and has told its configuration, then try again."
        raise RetryableError(f"{node} has not told yet what it runs", hint=hint)
    return version.files, status.digest


def sensor_files(path: str, keys: dict[str, Any], running: Bundle, by: str) -> dict[str, str]:
    """{file name: text} of the sensor at `path` below the site, beside the files that run.

    Raises DataError for keys that are none, and when another file describes the sensor.
    """
    given = {key: value for key, value in keys.items() if value not in (None, "", [])}
    if "signal" in given:
        raise DataError("the signal is named by the address, not by the body")
    try:
        VibrationSensorConfig.model_validate({"signal": path, **given}, context={"written": True})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        words = str(first["msg"]).removeprefix("Value error, ")
        raise DataError(f"{where}: {words}" if where else words, hint="keys: see vibration_sensors") from error
    name = f"vibration-{re.sub(r'[^A-Za-z0-9_.-]+', '-', path)}"[-90:].lstrip("-.") + ".yaml"
    for other, text in running.items():
        if other != name and _describes(text, path):
            hint = f"Change it there: Sources, Configuration, {other}."
            raise DataError(f"{other} describes this sensor already", hint=hint)
    title = f"Vibration sensor {path}, set up{f' by {by}' if by else ''}."
    return {name: section_file(SECTION, [{"signal": path, **given}], title)}


def _describes(text: str, path: str) -> bool:
    if SECTION not in text:
        return False
    try:
        items = (yaml.safe_load(text) or {}).get(SECTION) or []
    except (yaml.YAMLError, AttributeError):
        return False  # the gateway says what is wrong with it
    return any(isinstance(item, dict) and item.get("signal") == path for item in items)
