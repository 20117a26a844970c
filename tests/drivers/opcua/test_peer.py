"""Our driver against node-opcua, a server by other authors in another language."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lineshaft.drivers.opcua.trust import TrustList
from lineshaft.errors import AccessDenied, AddressInvalid, ConnectionFailed, NotWritable, Unsupported
from lineshaft.model.samples import Quality
from lineshaft.testing import expect_values, expect_written

from .servers import PEER_URI, Peer, connected, peer_modules, points
from .test_driver import Inbox

MOMENT = datetime(2024, 2, 29, 12, 0, 0, 123000, UTC).timestamp() * 1000
EXPECTED: tuple[tuple[str, float | str], ...] = (
    ("Boolean", 1.0), ("SByte", -5.0), ("Byte", 250.0), ("Int16", -30000.0), ("UInt16", 60000.0),
    ("Int32", -2e9), ("UInt32", 4e9), ("Int64", "-9007199254740993"), ("UInt64", "18446744073709551615"),
    ("Float", 0.5), ("Double", -1e-7), ("String", "Gewinde M8 Ø"), ("DateTime", MOMENT), ("LocalizedText", "laeuft"),
    ("Pressure", 6.5),
)  # fmt: skip
NAMES = [f"Machine.{name}" for name, _ in EXPECTED]


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    async with Peer(peer_modules(), tmp_path / "pki") as running:
        yield running


async def test_every_type_is_read_and_changes_are_seen(peer: Peer) -> None:
    """Read, browse, subscribe; requests keep to the server's limits of 7, 5 and 3 nodes."""
    async with connected(peer.url) as driver:
        wanted = points(*NAMES, uri=PEER_URI)
        expect_values(await driver.read(wanted), EXPECTED)
        machine = next(entry for entry in await driver.browse() if entry.name == "Machine")
        found = {entry.name: entry for entry in await driver.browse(machine.address)}
        assert {name for name, _ in EXPECTED} <= set(found)
        assert found["Pressure"].unit == "bar"
        assert found["Counter"].address == f"nsu={PEER_URI};s=Machine.Counter"
        inbox = Inbox()
        special = ("Machine.Counter", "Machine.Array", "Machine.Uncertain", "Machine.Broken", "Machine.Absent")
        await driver.subscribe(points(*special, *NAMES, uri=PEER_URI), inbox)
        await inbox.until(lambda rows: len({row[0] for row in rows}) == 20 and len([1 for r in rows if r[0] == 10]) > 8)
        counts = [row[1] for row in inbox.rows() if row[0] == 10]
        assert counts == sorted(set(counts)), "a value twice, or out of order"
        qualities = {row[0]: row[2] for row in inbox.rows() if 10 < row[0] < 15}
        assert qualities == {
            11: Quality.BAD_NO_VALUE, 12: Quality.UNCERTAIN_SENSOR, 13: Quality.BAD_DEVICE, 14: Quality.BAD_ADDRESS
        }  # fmt: skip


async def test_values_are_written_in_the_type_of_the_node(peer: Peer) -> None:
    """node-opcua, which refuses any other type, takes each value; what it lets nobody write says so."""
    written = {"Setpoint": 19.25, "Mode": -3.0, "Batch": "9007199254740993", "Recipe": "M10 Ø", "Run": 1.0}
    async with connected(peer.url) as driver:
        for name, value in written.items():
            await expect_written(driver, points(f"Machine.{name}", uri=PEER_URI)[0], value)
        fixed, absent, array = points("Machine.Fixed", "Machine.Nothing", "Machine.Array", uri=PEER_URI)
        with pytest.raises(NotWritable):
            await driver.write(fixed, 2.0)
        with pytest.raises(AddressInvalid):
            await driver.write(absent, 2.0)
        with pytest.raises(Unsupported, match="array"):
            await driver.write(array, 2.0)


async def test_values_come_back_after_a_restart(peer: Peer) -> None:
    """A killed server is noticed within seconds, and after its restart the driver reads and subscribes again."""
    async with connected(peer.url) as driver:
        await driver.subscribe(points("Machine.Counter", uri=PEER_URI), Inbox())
        await peer.kill()
        with pytest.raises(ConnectionFailed):
            async with asyncio.timeout(30):
                await driver.wait_closed()
        await peer.start()
        await driver.close()
        await driver.connect()
        inbox = Inbox()
        await driver.subscribe(points("Machine.Counter", uri=PEER_URI), inbox)
        await inbox.until(lambda rows: len(rows) > 3)


async def test_security_and_user(peer: Peer, tmp_path: Path) -> None:
    """Each policy with each mode reads a value; a wrong password is AccessDenied; a user may be a certificate."""
    folder, right, wrong = (tmp_path / name for name in ("own", "right", "wrong"))
    right.write_text("let me in\n")
    wrong.write_text("please\n")
    given = {"pki_folder": str(folder), "accept_any": True}
    user = {"user": "reader", "password_file": str(right)}
    pressure = points("Machine.Pressure", uri=PEER_URI)
    for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"):
        for mode in ("sign", "sign-and-encrypt"):
            async with connected(peer.url, **given, **user, security=policy, message_mode=mode) as driver:
                assert (await driver.read(pressure)).values.tolist() == [6.5], (policy, mode)
    best = {**given, "security": "Aes256_Sha256_RsaPss"}
    with pytest.raises(AccessDenied):
        async with connected(peer.url, **best, user="reader", password_file=str(wrong)):
            pass
    certificate, key = TrustList(tmp_path / "person").own()
    async with connected(peer.url, **best, user_cert_file=str(certificate), user_key_file=str(key)) as driver:
        assert (await driver.read(pressure)).values.tolist() == [6.5]
    with pytest.raises(AccessDenied):
        async with connected(peer.url, **best, user_cert_file=str(right), user_key_file=str(key)):
            pass
