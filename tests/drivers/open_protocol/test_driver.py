"""Every tightening arrives exactly once, through cuts, restarts and odd controllers."""

from __future__ import annotations

import asyncio
import time
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from lineshaft.drivers import base
from lineshaft.drivers.open_protocol.options import OpenProtocolAddress
from lineshaft.drivers.open_protocol.times import from_us
from lineshaft.errors import ConnectionFailed, DataError, RetryableError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.simulator.servers.open_protocol import Alarm, TorqueController
from lineshaft.simulator.servers.tightening import Limits, Tightening, tighten

from .tool import START_US, listening, make, points, screws


def test_abilities() -> None:
    """It subscribes, resumes, browses and tests its connection."""
    made = make(1)
    for ability in (base.Subscribes, base.Resumable, base.Browses, base.TestsConnection):
        assert isinstance(made, ability)


@pytest.mark.parametrize("revision", [1, 2, 3, 5, 7, 999])
async def test_results_in_every_revision(revision: int) -> None:
    """A result becomes rows at the controller's time, words and zeros in front kept; it is acknowledged."""
    wanted = points("torque", "angle", "status", "torque-status", "vin", "tightening-id", "batch-counter", "torque-min")
    async with TorqueController() as controller, listening(controller.port, wanted, revision=revision) as listener:
        controller.add([Tightening(START_US, 6.05, 731.0, Limits(), vin="000815", batch_counter=4)])
        await listener.until(lambda: bool(listener.column(0)))
        await controller.until_acknowledged(1)
        assert [listener.column(row)[0] for row in range(7)] == [6.05, 731, "NOK", "LOW", "000815", 1, 4]
        assert listener.column(7)[0] == 7.5 or revision == 999
        batch = next(batch for batch in listener.batches if 0 in batch.signals)
        assert set(batch.times.tolist()) == {START_US}


async def test_revisions_are_agreed() -> None:
    """A controller that knows an old revision alone is spoken to in that one, and fields it lacks are bad addresses."""
    async with TorqueController(newest={61: 1, 65: 1, 2: 1, 71: 1}) as controller:
        controller.add(screws(range(1, 2)))
        async with listening(controller.port, points("torque", "current", "alarm")) as listener:
            await listener.until(lambda: listener.column(0) == [0.01])
            (bad,) = [batch for batch in listener.batches if 1 in batch.signals]
            assert bad.qualities.tolist() == [Quality.BAD_ADDRESS]
            controller.add(screws(range(2, 3)))
            await listener.until(lambda: len(listener.column(0)) == 2)


async def test_nothing_is_lost_or_repeated_by_cuts() -> None:
    """What was tightened while the gateway was away is fetched by number, in order; nothing comes twice."""
    position, torques = "", []
    async with TorqueController(clients=2, resend_after=0.05) as controller:
        for turn in range(5):
            async with listening(controller.port, points("torque", "vin"), position) as listener:
                controller.add(screws(range(turn * 10 + 1, turn * 10 + 5)))
                await listener.until(lambda last=turn * 10 + 4: listener.column(0)[-1:] == [last / 100])
                position = listener.driver.position()
                controller.drop_connections()
                with pytest.raises(RetryableError):
                    async with asyncio.timeout(30):
                        await listener.driver.wait_closed()
                torques += listener.column(0)
            controller.add(screws(range(turn * 10 + 5, turn * 10 + 11)))  # nobody listens
    assert torques == [n / 100 for n in range(1, 45)]


async def test_an_acknowledgement_only_when_the_rows_are_taken() -> None:
    """When the sink fails there is no acknowledgement; the controller keeps the result, the next session gets it."""
    async with TorqueController(clients=2) as controller:
        driver = make(controller.port)
        await driver.connect()
        full = True

        def sink(batch: SampleBatch) -> None:
            if full:
                raise OSError("disk full")

        await driver.subscribe(points("torque"), sink)
        controller.add(screws(range(7, 8)))
        with pytest.raises(OSError, match="disk full"):
            async with asyncio.timeout(30):
                await driver.wait_closed()
        full = False
        assert controller.acknowledged == []
        await driver.close()
        async with listening(controller.port, points("torque")) as listener:
            await listener.until(lambda: listener.column(0) == [0.07])


async def test_a_result_sent_twice_is_taken_once() -> None:
    """A repeated result is acknowledged, counted and not delivered again."""
    async with TorqueController() as controller, listening(controller.port, points("torque")) as listener:
        controller.add(screws(range(1, 2)))
        await controller.until_acknowledged(1)
        controller.repeat(1)
        controller.add(screws(range(2, 3)))
        await listener.until(lambda: listener.column(0) == [0.01, 0.02])
        assert listener.driver.statistics.repeated == 1


async def test_lost_results_are_counted() -> None:
    """Results that the controller no longer has are counted as missing; the others are fetched."""
    async with TorqueController(clients=2) as controller:
        controller.add(screws(range(1, 31)))
        controller.forget(12, 13, 14)
        async with listening(controller.port, points("torque"), f"10:{START_US}") as listener:
            await listener.until(lambda: listener.column(0) == [n / 100 for n in (11, *range(15, 31))])
            assert (listener.driver.statistics.fetched, listener.driver.statistics.missing) == (16, 3)
        async with listening(controller.port, points("torque"), f"10:{START_US}", history=5) as listener:
            await listener.until(lambda: listener.column(0) == [n / 100 for n in range(25, 31)])
            assert listener.driver.statistics.missing == 14


async def test_a_controller_that_began_anew() -> None:
    """After a reset numbers begin at 1 again: a later time tells that these are new results."""
    async with TorqueController() as controller:
        controller.add(screws(range(1, 4)))
        async with listening(controller.port, points("torque"), f"5000:{START_US}") as listener:
            await listener.until(lambda: listener.column(0) == [0.03])
            controller.add(screws(range(4, 6)))
            await listener.until(lambda: listener.column(0) == [0.03, 0.04, 0.05])


async def test_a_controller_without_old_results() -> None:
    """Where MID 0064 is unknown live results still come."""
    async with TorqueController(newest={65: 0}) as controller:
        controller.add(screws(range(1, 3)))
        async with listening(controller.port, points("torque")) as listener:
            controller.add(screws(range(3, 5)))
            await listener.until(lambda: listener.column(0) == [0.03, 0.04])


async def test_local_time_of_the_controller() -> None:
    """Times are those of the controller's clock in its zone."""
    async with TorqueController(timezone="America/New_York") as controller:
        controller.add(screws(range(1, 2)))
        async with listening(controller.port, points("torque"), timezone="America/New_York") as listener:
            await listener.until(lambda: bool(listener.batches))
            assert listener.batches[0].times.tolist() == [START_US + 3_000_000]
    assert from_us(START_US, ZoneInfo("America/New_York")) == "2025-12-31:19:00:00"


async def test_alarms() -> None:
    """An alarm that is active at the start, a new one and its end come as text; each is acknowledged."""
    async with TorqueController() as controller:
        controller.raise_alarm(Alarm("E851", "Tool hot", START_US, tool_ready=False))
        async with listening(controller.port, points("alarm", "tool-ready")) as listener:
            await listener.until(lambda: listener.column(0) == ["E851"])  # the status message has no words
            controller.raise_alarm(None)
            await listener.until(lambda: listener.column(0)[-1] == "none")
            controller.raise_alarm(Alarm("E102", "Tool hot", START_US))
            await listener.until(lambda: listener.column(0)[-1] == "E102 Tool hot")
            assert listener.column(1) == [0, 0, 1]
        assert [one.mid for one in controller.received if one.mid in (72, 77)] == [77, 77, 72]


async def test_curves() -> None:
    """The curve of a tightening becomes one row per sample, spaced as the controller says."""
    one = tighten(5, START_US)
    assert one.torque_curve is not None
    wanted = points("trace-torque", "trace-angle", "trace-result")
    async with TorqueController() as controller, listening(controller.port, wanted) as listener:
        controller.add([one])
        await listener.until(lambda: len(listener.column(1)) == 120)
        batch = next(batch for batch in listener.batches if 0 in batch.signals)
        rows = batch.take(batch.signals == 0)
    assert np.allclose(rows.values, one.torque_curve, atol=0.0051)
    assert rows.times[0] == START_US
    assert set(np.diff(rows.times).tolist()) == {one.step_us}
    assert listener.column(2) == ["0000000001"] * 2


async def test_only_what_is_asked_for_is_subscribed() -> None:
    """Without points for alarms and curves the controller is not asked for them; one that refuses them marks them."""
    async with TorqueController(clients=2, newest={71: 0, 900: 0}) as controller:
        async with listening(controller.port, points("torque")):
            assert not {8, 70} & {one.mid for one in controller.received}
        async with listening(controller.port, points("torque", "alarm", "trace-angle")) as listener:
            bad = [batch for batch in listener.batches if (batch.qualities == Quality.BAD_ADDRESS).all()]
            assert [batch.signals.tolist() for batch in bad] == [[1, 2]]


async def test_keep_alive_holds_the_connection() -> None:
    """Signs of life are sent in time, so that the controller does not hang up."""
    async with TorqueController(silence=0.4) as controller:
        async with listening(controller.port, points("torque"), keep_alive="100ms") as listener:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await listener.driver.wait_closed()
        async with listening(controller.port, points("torque"), keep_alive="5s") as listener:
            with pytest.raises(ConnectionFailed):
                async with asyncio.timeout(30):
                    await listener.driver.wait_closed()


async def test_browse() -> None:
    """The items of the agreed revision are listed with unit and type; there is one level."""
    async with TorqueController(newest={61: 1}) as controller, listening(controller.port, points("torque")) as listener:
        found = {one.address: one for one in await listener.driver.browse()}
        assert await listener.driver.browse("torque") == ()
    assert found["angle"].unit == "deg"
    assert found["vin"].datatype is Datatype.STRING
    assert "identifier-2" not in found


async def test_the_model_is_asked_as_time_goes_on() -> None:
    """The simulated controller takes its results from a model."""
    asked: list[int] = []

    def model(now_us: int) -> list[Tightening]:
        asked.append(now_us)
        return [tighten(len(asked), now_us, defect="stripped")]

    wanted = points("status", "torque-status", "angle-status", "errors")
    async with TorqueController(model=model) as controller, listening(controller.port, wanted) as listener:
        controller.advance(START_US)
        await listener.until(lambda: bool(listener.column(0)))
        assert [listener.column(row)[0] for row in range(4)] == ["NOK", "LOW", "HIGH", "torque below its target"]
    assert asked == [START_US]


async def test_many_results() -> None:
    """Two thousand missed results are fetched in a few seconds."""
    async with TorqueController(clients=2) as controller:
        controller.add(screws(range(1, 2001)))
        began = time.process_time()
        async with listening(controller.port, points("torque", "angle", "vin"), f"1:{START_US}", history=5000) as found:
            await found.until(lambda: found.driver.statistics.results == 1999)
            assert found.column(0) == [n / 100 for n in range(2, 2001)]
        assert time.process_time() - began < 10


def test_unknown_items_and_zones_are_refused() -> None:
    """A misspelt item or time zone, and a foreign position, are told before anything is connected."""
    with pytest.raises(ValueError, match="one of: alarm, angle"):
        OpenProtocolAddress(item="torqe")
    with pytest.raises(ValueError, match="IANA"):
        make(1, timezone="Mars/Olympus")
    with pytest.raises(DataError):
        make(1).resume("nonsense")
