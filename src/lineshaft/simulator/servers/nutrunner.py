"""A tightening controller that tells each screw which the factory drives, with its curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint, option
from lineshaft.simulator.machines.nutrunner import JOINTS, Joint
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.open_protocol import TorqueController
from lineshaft.simulator.servers.tightening import Limits, Tightening, tighten


def tightening_machine(channels: Sequence[Channel]) -> OneMachine:
    """A controller with one tool; its numbers of results are the tool's own count."""
    device = channels[0].device
    host, port = endpoint(device)
    joint = JOINTS[device.asset]
    controller = TorqueController(host, port, name=device.id, timezone=option(device, "timezone"), clients=2)
    told = -1

    def write(shown: Shown) -> None:
        nonlocal told
        for number, one in _since(shown, device.asset, joint, told):
            if told < 0:
                controller.number_from(number)
            told = number
            controller.add([one])

    return OneMachine(channels, controller, write)


def _since(shown: Shown, asset: str, joint: Joint, told: int) -> Iterator[tuple[int, Tightening]]:
    """The tightenings that were not told; the last one alone when none was told yet."""
    tracks = shown.frame.tracks
    now = int(shown.frame.times[-1])
    numbers = tracks[f"{asset}/tightenings"]
    after = shown.frame.before if told >= 0 else numbers.since(now) - 1
    times, counts = numbers.changes(after, now)
    limits = Limits(
        1, joint.name, joint.torque_min, joint.torque_max, joint.torque, joint.angle_min, joint.angle_max, joint.angle
    )
    for time, count in zip(times.tolist(), counts.tolist(), strict=True):
        if count <= told:
            continue
        torque, angle = (float(tracks[f"{asset}/{name}"].value_at(time)) for name in ("torque", "angle"))
        shape = tighten(int(count), time, limits, vin=tracks[f"{asset}/serial"].value_at(time))
        curves = shape.torque_curve, shape.angle_curve
        yield (
            int(count),
            replace(
                shape,
                torque=torque,
                angle=angle,
                batch_size=joint.screws,
                batch_counter=int(tracks[f"{asset}/screw"].value_at(time)),
                torque_curve=None if curves[0] is None else curves[0] * (torque / shape.torque),
                angle_curve=None if curves[1] is None else curves[1] * (angle / max(shape.angle, 1.0)),
            ),
        )
