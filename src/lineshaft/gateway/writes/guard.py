"""What a configuration from the hub may never do: give anybody more rights to write to devices than they have."""

from __future__ import annotations

from lineshaft.config.models import DeviceConfig, Plant, SignalConfig
from lineshaft.errors import ConfigError

_HINT = "change it in the plant folder at the gateway itself; whoever rules the hub must not rule the machines"


def refuse_more_writes(before: Plant, after: Plant) -> None:
    """Raises ConfigError when `after` lets more be written, or lets something else be written under the same name."""
    for name in ("allow_writes", "foreign_commands"):
        if getattr(after.gateway, name) and not getattr(before.gateway, name):
            raise ConfigError(f"the hub may not turn gateway.{name} on", hint=_HINT)
    if not after.gateway.allow_writes:
        return
    known = _writable(before)
    for path, place in _writable(after).items():
        if known.get(path) != place:
            raise ConfigError(f"the hub may not change how {path} can be written", hint=_HINT)


def _writable(plant: Plant) -> dict[str, tuple[DeviceConfig, SignalConfig]]:
    """Path -> where and how, of every signal that may be written."""
    return {
        f"{signal.asset or device.asset}/{signal.name}": (device.model_copy(update={"signals": ()}), signal)
        for device in plant.devices
        for signal in device.signals
        if signal.write is not None
    }
