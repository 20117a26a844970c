"""The keys of a waveform: how a burst is read, what is computed of it at the gateway, and which bursts are sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from pydantic import field_validator, model_validator

from lineshaft.config import units
from lineshaft.config.section import Section, key
from lineshaft.config.values import Id

Feature = Literal["rms", "velocity_rms", "peak", "crest", "kurtosis", "envelope_rms"]
ACCELERATION: Final = "m/s2"
VELOCITY: Final = "mm/s"
_STANDARD: Final[tuple[Feature, ...]] = ("rms", "velocity_rms", "peak", "crest", "kurtosis", "envelope_rms")
_WORDS: Final[dict[Feature, str]] = {
    "rms": "Root mean square of the burst, without its mean.",
    "velocity_rms": "Vibration velocity, 10 to 1000 Hz (ISO 20816).",
    "peak": "Greatest distance from the mean.",
    "crest": "Peak by RMS; 1.4 for a sine, rises with shocks.",
    "kurtosis": "3 for noise, more when there are shocks.",
    "envelope_rms": "RMS of the envelope of the carrier band: shocks of bearings and gears.",
}
Band = tuple[float, float]


class KeepConfig(Section):
    """Which bursts are sent whole; their features always are."""

    every: int = key(1, "Every how many-th burst; 0: none but those that another key here picks.", ge=0)
    on_change: float | None = key(
        None, "Also a burst whose RMS differs by more than this from that of the last one sent.", unit="%", gt=0
    )
    before: int = key(
        0, "So many bursts before a finding are sent afterwards; until then the gateway holds them.", ge=0, le=1000
    )
    after: int = key(0, "So many bursts after a finding are sent.", ge=0, le=1000)
    rules: tuple[str, ...] = key((), "Ids of the edge rules that are findings; any rule on the asset when empty.")


class WaveformConfig(Section):
    """A burst of fast samples: vibration, sound, current."""

    rate: float | None = key(None, "Samples per second, where the source does not say it.", unit="Hz", gt=0)
    rate_address: Any = key(None, "Where the device says the sample rate in Hz; a form of `address`.")
    samples: int | None = key(None, "How many a whole burst has; a shorter one is half a waveform.", ge=2)
    speed: float | None = key(None, "Speed of the shaft, where it is fixed.", unit="1/min", ge=0)
    speed_address: Any = key(None, "Where the device says the speed of the shaft in 1/min; a form of `address`.")
    speed_of: str = key("", "Path below the site of a signal of this gateway that is the speed of the shaft in 1/min.")
    features: tuple[Feature, ...] | None = key(
        None, "What is computed of each burst; all that the unit allows when absent, [] for nothing."
    )
    bands: dict[Id, Band] = key({}, "Name -> [low, high]: RMS in that band.", unit="Hz")
    carrier: Band | None = key(
        None, "[low, high] of the band whose envelope is looked at; 0.1 to 0.4 of the rate when absent.", unit="Hz"
    )
    envelope_bands: dict[Id, Band] = key({}, "Name -> [low, high] in the envelope: RMS in that band.", unit="Hz")
    keep: KeepConfig = key(KeepConfig(), "Which bursts are sent whole.")

    @field_validator("bands", "envelope_bands")
    @classmethod
    def _bands(cls, value: dict[str, Band]) -> dict[str, Band]:
        for name, band in value.items():
            _ascending(name, band)
        return value

    @field_validator("carrier")
    @classmethod
    def _carrier(cls, value: Band | None) -> Band | None:
        return value if value is None else _ascending("carrier", value)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.rate is not None and self.rate_address is not None:
            raise ValueError("give rate or rate_address, not both")
        if sum((self.speed is not None, self.speed_address is not None, bool(self.speed_of))) > 1:
            raise ValueError("give one of speed, speed_address and speed_of")
        bands = [*self.bands.items(), *self.envelope_bands.items()]
        bands += [("carrier", self.carrier)] if self.carrier is not None else []
        for name, band in bands:
            if self.rate is not None and band[1] > self.rate / 2:
                raise ValueError(f"the band {name} ends above half the rate ({self.rate / 2:g} Hz)")
        return self


@dataclass(frozen=True, slots=True)
class FeatureSignal:
    """A signal that the gateway computes of each burst. `feature` and `band` say how."""

    name: str
    unit: str
    description: str
    feature: Feature | Literal["band", "envelope_band"]
    band: Band | None = None


def quantity(unit: str) -> Literal["acceleration", "velocity", "other"]:
    """What a waveform in this unit is of."""
    if unit and units.convertible(unit, ACCELERATION):
        return "acceleration"
    return "velocity" if unit and units.convertible(unit, VELOCITY) else "other"


def allowed_features(unit: str) -> tuple[Feature, ...]:
    """Features that make sense for a waveform in this unit."""
    other = ("velocity_rms", "envelope_rms") if quantity(unit) == "other" else ()
    return tuple(feature for feature in _STANDARD if feature not in other)


def feature_signals(name: str, unit: str, config: WaveformConfig) -> Iterator[FeatureSignal]:
    """The signals beside the waveform `name`, in a fixed order."""
    for feature in allowed_features(unit) if config.features is None else config.features:
        plain = feature in ("crest", "kurtosis")
        own = VELOCITY if feature == "velocity_rms" else "" if plain else unit
        yield FeatureSignal(f"{name}_{feature}", own, _WORDS[feature], feature)
    for band_name, band in config.bands.items():
        words = f"RMS from {band[0]:g} to {band[1]:g} Hz."
        yield FeatureSignal(f"{name}_{band_name}", unit, words, "band", band)
    for band_name, band in config.envelope_bands.items():
        words = f"RMS of the envelope from {band[0]:g} to {band[1]:g} Hz."
        yield FeatureSignal(f"{name}_envelope_{band_name}", unit, words, "envelope_band", band)


def _ascending(name: str, band: Band) -> Band:
    if not 0 <= band[0] < band[1]:
        raise ValueError(f"the band {name} must ascend from 0 or more: [{band[0]:g}, {band[1]:g}]")
    return band
