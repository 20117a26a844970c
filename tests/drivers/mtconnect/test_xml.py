"""Documents of every version are read, hostile ones are refused, and no bytes can do harm."""

from __future__ import annotations

import os
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.memory import held

from lineshaft.drivers.mtconnect.browse import UNITS, browse, datatype_of
from lineshaft.drivers.mtconnect.documents import AgentError, Probe, Streams
from lineshaft.drivers.mtconnect.multipart import Splitter, boundary_of
from lineshaft.drivers.mtconnect.xml import parse, time_us
from lineshaft.errors import AddressInvalid, DataError
from lineshaft.model.equipment import Datatype
from lineshaft.simulator.servers.mtconnect_model import (
    AgentHeader,
    devices_document,
    error_document,
    streams_document,
)

from .machine import DEVICE, everything

HEADER = AgentHeader("2.0", 1_700_000_000, 1_700_000_000_000_000, 131_072, 1, 14)
CURRENT = streams_document(HEADER, DEVICE, list(enumerate(everything(1_700_000_000_000_001), 1)))
PROBE = devices_document(HEADER, DEVICE)
ERROR = error_document(HEADER, "OUT_OF_RANGE", "too old")
SHARED = Path(os.environ.get("LINESHAFT_DATA", Path(__file__).parents[4] / "shared" / "data"))
MODEL = SHARED / "nist_sms" / "Devices.xml"


def streams(body: str, version: str = "1.3", header: str = "") -> bytes:
    return (
        f'<MTConnectStreams xmlns="urn:mtconnect.org:MTConnectStreams:{version}">'
        f'<Header creationTime="2024-01-01T00:00:00Z" sender="a" instanceId="5" version="{version}.0" bufferSize="8" '
        f'firstSequence="1" lastSequence="9" nextSequence="10"{header}/><Streams>'
        f'<DeviceStream name="d" uuid="u"><ComponentStream component="Path" componentId="p">{body}'
        "</ComponentStream></DeviceStream></Streams></MTConnectStreams>"
    ).encode()


def only(document: bytes) -> tuple[str, int, int, str | None]:
    found = parse(document)
    assert isinstance(found, Streams)
    seen = found.observations
    assert len(seen) == 1
    return seen.items[0], seen.sequences[0], seen.times[0], seen.texts[0]


class TestReading:
    @pytest.mark.parametrize("version", ["1.0", "1.2", "1.3", "1.8", "2.0", "2.3", "2.7"])
    def test_versions(self, version: str) -> None:
        """Namespaces of 1.x and 2.x are known, and extensions of makers beside them are read."""
        body = (
            '<Events xmlns:x="urn:maker.com:Streams:1.0"><x:Lamp dataItemId="lamp" sequence="7" '
            'timestamp="2024-01-01T00:00:00.5Z">RED</x:Lamp></Events>'
        )
        assert only(streams(body, version)) == ("lamp", 7, time_us("2024-01-01T00:00:00.5Z"), "RED")

    @pytest.mark.parametrize(
        ("text", "microseconds"),
        [
            ("2024-02-29T23:59:59.123456Z", 1709251199123456),
            ("2024-02-29T23:59:59.123456789Z", 1709251199123456),
            ("2024-02-29T23:59:59", 1709251199000000),
            ("2024-03-01T01:59:59.1+02:00", 1709251199100000),
            ("1969-12-31T23:59:59.999999Z", -1),
        ],
    )
    def test_times(self, text: str, microseconds: int) -> None:
        """Times are UTC microseconds, whatever zone and however many digits they are written with."""
        assert time_us(text) == microseconds

    def test_a_time_that_cannot_be_read(self) -> None:
        """The observation gets the document's time and is marked."""
        found = parse(streams('<Samples><Load dataItemId="l" sequence="1" timestamp="soon">5</Load></Samples>'))
        assert isinstance(found, Streams)
        assert found.observations.times == [found.header.created]
        assert found.observations.doubtful == {0}

    def test_conditions_keep_all_their_words(self) -> None:
        """Level, code, severity, qualifier, words and the id of the activation are in the text."""
        body = (
            '<Condition><Fault dataItemId="c" sequence="3" timestamp="2024-01-01T00:00:00Z" type="LOAD" '
            'nativeCode="A|1" conditionId="77" nativeSeverity="3" qualifier="HIGH">X &amp; Y</Fault></Condition>'
        )
        assert only(streams(body))[3] == "FAULT|A\\|1:77|3|HIGH|X & Y"

    def test_data_sets_and_tables(self) -> None:
        """Entries, removed entries and cells become JSON."""
        body = (
            '<Events><VariableDataSet dataItemId="v" sequence="3" timestamp="2024-01-01T00:00:00Z" count="2">\n'
            '<Entry key="a">1</Entry> <Entry key="b" removed="true"/></VariableDataSet></Events>'
        )
        assert only(streams(body))[3] == '{"a": "1", "b": null}'
        body = (
            '<Events><WorkOffsetTable dataItemId="w" sequence="3" timestamp="2024-01-01T00:00:00Z" count="1">'
            '<Entry key="G54"><Cell key="X">1.5</Cell><Cell key="Y">2</Cell></Entry></WorkOffsetTable></Events>'
        )
        assert only(streams(body))[3] == '{"G54": {"X": "1.5", "Y": "2"}}'

    def test_only_wanted_items(self) -> None:
        """Observations that nobody wants are passed over."""
        found = parse(CURRENT, {"Xpos", "vars"})
        assert isinstance(found, Streams)
        assert found.observations.items == ["Xpos", "vars"]

    def test_errors(self) -> None:
        """Both shapes of an error document give code and words."""
        found = parse(ERROR)
        assert isinstance(found, AgentError)
        assert found.has("OUT_OF_RANGE")
        old = ERROR.replace(b"<Errors>", b"").replace(b"</Errors>", b"")
        assert str(parse(old)) == "OUT_OF_RANGE: too old"

    def test_the_model(self) -> None:
        """Components and data items come with their tree, units and types."""
        probe = parse(PROBE)
        assert isinstance(probe, Probe)
        assert [found.address for found in browse(probe, "")] == ["cnc-device"]
        assert browse(probe, "")[0].description == 'Mill & Sons M<80> "fast"'
        below = {found.name: found for found in browse(probe, "cnc-device")}
        assert set(below) == {"avail", "Axes base", "controller"}
        axes = browse(probe, below["Axes base"].address)
        spindle = next(found for found in axes if found.name == "Rotary C")
        speed = next(found for found in browse(probe, spindle.address) if found.address == "Sspeed")
        assert (speed.unit, speed.datatype, speed.description) == (
            "1/min", Datatype.DOUBLE, "sample rotary velocity actual",
        )  # fmt: skip
        types = {item.id: datatype_of(item) for item in probe.items}
        assert types["Fovr"] == types["pcount"] == Datatype.DOUBLE
        assert types["program"] == types["system"] == types["vars"] == Datatype.STRING
        with pytest.raises(AddressInvalid):
            browse(probe, "nowhere")

    def test_units_can_be_computed_with(self) -> None:
        """Every unit that browse gives is one that a plant may use."""
        from lineshaft.config.units import unit_known

        assert [unit for unit in UNITS.values() if not unit_known(unit)] == []

    @pytest.mark.skipif(not MODEL.exists(), reason="no recordings of the NIST laboratory")
    def test_a_real_laboratory(self) -> None:
        """The device model of a real laboratory is read whole: each item is in its component."""
        probe = parse(MODEL.read_bytes())
        assert isinstance(probe, Probe)
        assert probe.header.version == "1.3"
        known = {component.id for component in probe.components}
        assert all(item.component in known for item in probe.items)
        assert len(probe.items) == MODEL.read_text().count("<DataItem ")
        assert all(found.has_children for found in browse(probe, ""))


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<MTConnectStreams>&d;</MTConnectStreams>"""


class TestHostile:
    @pytest.mark.parametrize(
        "document",
        [
            BOMB,
            b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><MTConnectStreams/>',
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><MTConnectStreams>&e;</MTConnectStreams>',
            b"<MTConnectStreams>&unknown;</MTConnectStreams>",
            b"<html><body>Not found</body></html>",
            b'<MTConnectStreams xmlns="urn:other:1.3"/>',
            b"",
            b"\x00\xff\xfe",
            b"<MTConnectStreams>" + b"<a>" * 100,
            b'<?xml version="1.0" encoding="utf-99"?><MTConnectStreams/>',
            streams("").replace(b' nextSequence="10"', b""),
            streams("").replace(b'nextSequence="10"', b'nextSequence="-10"'),
            streams("").replace(b'nextSequence="10"', b'nextSequence="ten"'),
            streams('<Events><Block dataItemId="b" sequence="x" timestamp="2024-01-01T00:00:00Z">1</Block></Events>'),
        ],
    )
    def test_is_refused(self, document: bytes) -> None:
        """Entity bombs, external entities, other documents and broken ones raise DataError."""
        with pytest.raises(DataError):
            parse(document)

    def test_size_is_bounded(self) -> None:
        """A document beyond the limit is not even looked at, nor is a value of many megabytes kept."""
        with pytest.raises(DataError, match="limit"):
            parse(CURRENT, limit=100)
        value = "x" * (5 * 2**20)
        body = f'<Events><Block dataItemId="b" sequence="1" timestamp="2024-01-01T00:00:00Z">{value}</Block></Events>'
        with pytest.raises(DataError, match="longer"):
            parse(streams(body))

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=400))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are a document or a DataError."""
        self.attempt(data)

    @settings(max_examples=600, deadline=None)
    @given(
        st.sampled_from([CURRENT, PROBE, ERROR]),
        st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=6),
    )
    def test_damaged_documents(self, document: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
        """Documents with pieces cut out and others put in are read or refused, nothing else."""
        for place, length, new in cuts:
            document = document[:place] + new + document[place + length :]
        self.attempt(document)

    @staticmethod
    def attempt(data: bytes) -> None:
        with suppress(DataError):
            parse(data)

    def test_memory_does_not_grow(self) -> None:
        """A thousand bombs and as many good documents leave nothing behind."""
        tracemalloc.start()
        for turn in range(1100):
            self.attempt(BOMB)
            self.attempt(PROBE)
            if turn == 100:
                before = held()
        grown = held() - before
        tracemalloc.stop()
        assert grown < 100_000

    def test_speed(self) -> None:
        """Ten thousand observations are read in well under a second."""
        rows = [(n, seen) for n, seen in enumerate(everything(1_700_000_000_000_001) * 715, 1)]
        document = streams_document(HEADER, DEVICE, rows)
        began = time.process_time()
        parse(document)
        assert time.process_time() - began < 2


class TestMultipart:
    PARTS = (CURRENT.strip(), ERROR.strip(), b"<a/>")

    @staticmethod
    def wire(parts: tuple[bytes, ...], *, lengths: bool, end: bytes) -> bytes:
        whole = b""
        for part in parts:
            size = b"Content-length: %d" % len(part) + end if lengths else b""
            whole += end + b"--b0" + end + b"Content-type: text/xml" + end + size + end + part
        return whole + end + b"--b0--" + end

    @settings(max_examples=150, deadline=None)
    @given(st.booleans(), st.sampled_from([b"\r\n", b"\n"]), st.lists(st.integers(1, 3000), max_size=30))
    def test_any_cut_gives_the_same_parts(self, lengths: bool, end: bytes, sizes: list[int]) -> None:
        """However the bytes are cut on the way, the documents are the same, with or without a length."""
        data = self.wire(self.PARTS, lengths=lengths, end=end)
        splitter, found = Splitter("b0", 2**20), []
        for size in [*sizes, len(data)]:
            found += splitter.feed(data[:size])
            data = data[size:]
        assert tuple(found[:3]) == self.PARTS

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b"--b0\r\n", b"\r\n\r\n", b"content-length: 7"])))
    )
    def test_any_bytes(self, chunks: list[bytes]) -> None:
        """Any bytes give parts or a DataError, and no more is kept than the limit and the headers."""
        splitter = Splitter("b0", 100)
        try:
            for chunk in chunks:
                list(splitter.feed(chunk))
        except DataError:
            pass

    @pytest.mark.parametrize(
        "data",
        [
            b"x" * 10_000,
            b"--b0\r\n" + b"h: 1\r\n" * 5000,
            b"--b0\r\ncontent-length: 101\r\n\r\n",
            b"--b0\r\n\r\n" + b"y" * 200,
        ],
    )
    def test_endless_parts_are_refused(self, data: bytes) -> None:
        """No boundary, endless headers and parts beyond the limit raise DataError."""
        with pytest.raises(DataError):
            list(Splitter("b0", 100).feed(data))

    def test_boundary(self) -> None:
        """The boundary is found with and without quotes; another type has none."""
        assert boundary_of('multipart/x-mixed-replace; boundary="abc"; x=1') == "abc"
        assert boundary_of("multipart/x-mixed-replace;boundary=--abc") == "--abc"
        assert boundary_of("text/xml") == ""
        with pytest.raises(DataError):
            boundary_of("multipart/mixed")
