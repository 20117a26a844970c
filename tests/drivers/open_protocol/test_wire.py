"""Messages are cut, joined and taken apart as the specification has it, and no bytes can do harm.

The vectors are those of the specification R2.8.0 and of OpenProtocolInterpreter (MIT, Henrique Dal Bello Batista).
"""

from __future__ import annotations

import struct
import time
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.drivers.open_protocol.fields import LAYOUTS, decode, encode_fields, layout_of
from lineshaft.drivers.open_protocol.items import ITEMS, meaning
from lineshaft.drivers.open_protocol.results import Position, Result
from lineshaft.drivers.open_protocol.times import from_us, to_us
from lineshaft.drivers.open_protocol.trace import decode_trace
from lineshaft.drivers.open_protocol.wire import Framer, Message, encode
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality

RESULT_1 = (
    "02310061001         010001020103airbag7                  04KPOL3456JKLO897          05000600307000008000009010011"
    "1120008401300140014001200150007391600000170999918000001900000202001-06-02:09:54:09212001-05-29:12:34:33221"
    "230000345675"
)
RESULT_2 = (
    "03850061002         010000020003RA ST6.2 ETV100          04                         05000006001070208000670900001"
    "000001101221301401501611711811912000000081942100340022004600230040002400050525000202600420270000028000002900"
    "100300085031000043200033150340003500000036999900370000003800000039000000400000004100001848874200000430000044"
    "      C0761275452020-06-25:01:04:39462020-06-24:10:48:53"
)
RESULT_3 = "04190061003" + RESULT_2[11:] + "47Test Parameter Set       4824905"
SHORT = (
    "01210061999         KPOL3456JKLO897          02001002000192111000500003602001-06-02:09:54:092000-06-02:09:54:09"
    "4294967295"
)
OLD_1 = (
    "01180065001         01012345678902AIRBAG                   030010400020500600700800146709000461"
    "02001-04-22:14:54:34112"
)
OLD_2 = (
    "02260065002         01012345678902AIRBAG                   030001040020510060093807000008000009010011112013214115"
    "016217118000004189819001000200036021002502200223000215240010252500012266553527ABCDEFG-123   282019-01-05:09:00:05"
)
OLD_4 = (
    "03140065004" + OLD_2[11:] + "297300831Identifier result part 2 32Identifier result part 3 "
    "33Identifier result part 4 "
)
ALARM_1 = "00530071001         01E851021031042017-12-01:20:12:45"
ALARM_2 = "01060071002         01E1021021031042017-12-01:20:12:4505Alarm Text                                        "
STATUS_1 = "00560076001         01102E851031041052017-01-25:10:20:20"
STATUS_3 = "00600076003         01102 E851031041052017-01-25:10:20:20061"
STARTED_4 = (
    "01630002004         010001020103Airbag1                  04ACT05OpenProtocolVersion06Version 19.0.0.0   "
    "07Version 01.0.0.0   08RBUType                 09Serial    "
)
VECTORS = (RESULT_1, RESULT_2, RESULT_3, SHORT, OLD_1, OLD_2, OLD_4, ALARM_1, ALARM_2, STATUS_1, STATUS_3, STARTED_4)


def message(text: str) -> Message:
    (found,) = Framer().feed(text.encode() + b"\0")
    return found


class TestVectors:
    @pytest.mark.parametrize("text", VECTORS, ids=lambda text: f"{text[4:8]}-{text[8:11]}")
    def test_length_and_round_trip(self, text: str) -> None:
        """Each published message has the length that its layout gives, and is written again as it was."""
        got = message(text)
        fields = decode(got)
        width = sum(width for _, width in layout_of(got.mid, got.revision))
        ids = 0 if got.revision == 999 else 2 * len(fields)
        assert 20 + ids + width == len(text) == int(text[:4])
        assert encode_fields(got.mid, got.revision, fields) == got.data
        assert encode(got).rstrip(b"\0").decode() == text

    def test_result_of_revision_1(self) -> None:
        """Torque 7.39 below its limit of 8.40, angle in order, number 345675."""
        fields = decode(message(RESULT_1))
        said = {
            name: meaning(ITEMS[name], raw, as_text=name.endswith("status") or name == "vin")
            for name, raw in fields.items()
            if name in ITEMS
        }
        assert said["status"][2] == "NOK"
        assert (said["torque-status"][2], said["angle-status"][2]) == ("LOW", "OK")
        assert [said[name][0] for name in ("torque-min", "torque-max", "torque-target", "torque")] == [
            8.4, 14.0, 12.0, 7.39,
        ]  # fmt: skip
        assert said["tightening-id"][0] == 345675
        assert said["vin"][2] == "KPOL3456JKLO897"
        assert to_us(fields["time"], ZoneInfo("UTC")) == 991_475_649_000_000

    def test_short_result(self) -> None:
        """Revision 999 has no ids; its number is the largest there is."""
        fields = decode(message(SHORT))
        assert fields["tightening-id"] == "4294967295"
        assert fields["torque"] == "000500"
        assert fields["vin"].rstrip() == "KPOL3456JKLO897"

    def test_result_of_revisions_2_and_3(self) -> None:
        """Errors, tool and unit of a real controller's result."""
        fields = decode(message(RESULT_3))
        words = "rundown angle below its minimum, trigger lost"
        assert meaning(ITEMS["errors"], fields["errors"], as_text=True)[2] == words
        assert fields["tool-serial"].strip() == "C0761275"
        assert meaning(ITEMS["torque-unit"], fields["torque-unit"], as_text=True)[2] == "Lbf.ft"
        assert int(fields["tightening-id"]) == 184887

    def test_raw_bytes_in_a_field(self) -> None:
        """Old controllers send bits as bytes: that field alone is bad."""
        data = message(RESULT_2).data
        place = data.index(b"200000008194")
        broken = Message(61, 2, data[: place + 2] + bytes([0xAA, 3, 0x0A, 0xD1, 0, 0, 0, 0, 0, 0]) + data[place + 12 :])
        fields = decode(broken)
        assert meaning(ITEMS["errors"], fields["errors"], as_text=False)[1] == Quality.BAD_DEVICE
        assert fields["torque"] == decode(message(RESULT_2))["torque"]

    @pytest.mark.parametrize("mid", sorted(LAYOUTS))
    def test_every_revision_round_trips(self, mid: int) -> None:
        """What is written in any revision is read again, and one newer than known is read as the newest."""
        for revision, layout in LAYOUTS[mid].items():
            values = {name: "7".zfill(width) for name, width in layout}
            data = encode_fields(mid, revision, values)
            assert decode(Message(mid, revision, data)) == values
            if revision == max(LAYOUTS[mid]):
                assert decode(Message(mid, revision + 1, data + b"99more")) == values
            with pytest.raises(DataError):
                decode(Message(mid, revision, data[:-1]))
            with pytest.raises(DataError):
                decode(Message(mid, revision, b"99" + data[2:]))


def trace_message(revision: int) -> Message:
    """The curve of OpenProtocolInterpreter's tests: three samples, 10 apart in unit 020 (no time)."""
    object_, count, request = ("123425678", "03", "9001") if revision == 3 else ("", "", "9001" if revision > 1 else "")
    lead = (
        f"RDI00000012026-09-07:12:30:00{object_}00200105004010010001"
        f"25.5001060040300100021.2502{count}01001{request}001002000010100000007001000000000200201020"
        "1000003\0"
    )
    return Message(900, revision, lead.encode() + struct.pack(">3h", 100, -200, 300))


class TestCurves:
    @pytest.mark.parametrize("revision", [1, 2, 3])
    def test_revisions(self, revision: int) -> None:
        """Samples are read in each revision, signed and big endian."""
        trace = decode_trace(trace_message(revision))
        assert (trace.result, trace.kind, trace.time) == ("RDI0000001", 2, "2026-09-07:12:30:00")
        assert trace.values.tolist() == [100, -200, 300]
        assert trace.parameters[105] == "25.5"

    @pytest.mark.parametrize(("parameter", "values"), [("02213", [1, -2, 3]), ("02214", [10_000, -20_000, 30_000])])
    def test_coefficients(self, parameter: str, values: list[float]) -> None:
        """A coefficient divides or multiplies the samples; times come from the resolution in its unit."""
        lead = (
            f"00000000072026-09-07:12:30:000000201001001{parameter}003030000000100"
            "002000000000100303202" "0.5" "00002000020020320010" "00003\0"
        )  # fmt: skip
        trace = decode_trace(Message(900, 1, lead.encode() + struct.pack(">3h", 100, -200, 300)))
        assert trace.values.tolist() == values
        assert trace.offsets.tolist() == [0, 500, 10_000_500]

    def test_control_characters_are_no_numbers(self) -> None:
        """A number with a control character beside it is refused, although Python counts some of them as space."""
        data = trace_message(1).data
        place = data.index(b"0201001")
        with pytest.raises(DataError):
            decode_trace(Message(900, 1, data[:place] + b"2\x1f" + data[place + 2 :]))

    @settings(max_examples=400, deadline=None)
    @given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 30), st.integers(1, 3))
    def test_any_bytes(self, data: bytes, place: int, length: int, revision: int) -> None:
        """Any bytes, and damaged curves, are a curve or a DataError."""
        good = trace_message(revision).data
        for body in (data, good[:place] + data[:12] + good[place + length :]):
            with suppress(DataError):
                decode_trace(Message(900, revision, body))


class TestFraming:
    STREAM = b"".join(text.encode() + b"\0" for text in VECTORS) + encode(trace_message(1))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.integers(1, 500), max_size=60))
    def test_any_cut_gives_the_same_messages(self, sizes: list[int]) -> None:
        """However TCP cuts or merges the bytes, binary curves included, the messages are the same."""
        framer, data, found = Framer(), self.STREAM, []
        for size in [*sizes, len(data)]:
            found += framer.feed(data[:size])
            data = data[size:]
        assert [one.mid for one in found] == [int(text[4:8]) for text in VECTORS] + [900]
        assert found[-1].data == trace_message(1).data

    @pytest.mark.parametrize(
        "data",
        [
            b"GET / HTTP/1.1\r\n",
            b"00190061001         \0",
            b"0000" + b"0" * 40,
            b"-231" + RESULT_1.encode()[4:],
            b"0020ABCD001         \0",
            b"0020006100X         \0",
            "٠٠٢٠٩٩٩٩".encode() + b" " * 20,
            b"002000610010      X1\0",
        ],
    )
    def test_garbage_is_refused(self, data: bytes) -> None:
        """Another protocol, impossible lengths and letters where numbers belong raise DataError at once."""
        with pytest.raises(DataError):
            list(Framer().feed(data))

    @settings(max_examples=500, deadline=None)
    @given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([text.encode() for text in VECTORS]))))
    def test_any_bytes(self, chunks: list[bytes]) -> None:
        """Any bytes give messages or a DataError; every message can then be taken apart or is refused."""
        framer = Framer()
        with suppress(DataError):
            for chunk in chunks:
                for found in framer.feed(chunk):
                    with suppress(DataError):
                        Result.of(decode(found), ZoneInfo("Europe/Berlin"), Position(5, 7), 1)

    def test_two_signs_are_no_number(self) -> None:
        """What only looks like an integer is bad, not an error."""
        assert meaning(ITEMS["angle"], "++0", as_text=False)[1] == Quality.BAD_DEVICE

    @settings(max_examples=600, deadline=None)
    @given(st.sampled_from(VECTORS), st.integers(0, 500), st.binary(max_size=10), st.sampled_from(sorted(ITEMS)))
    def test_damaged_fields(self, text: str, place: int, new: bytes, item: str) -> None:
        """A field with any content is a value, no value or bad, never another error."""
        data = text.encode()[20:]
        data = data[:place] + new + data[place + len(new) :]
        with suppress(DataError):
            for raw in decode(Message(int(text[4:8]), int(text[8:11]), data)).values():
                for as_text in (False, True):
                    meaning(ITEMS[item], raw, as_text=as_text)

    def test_parts_are_joined(self) -> None:
        """A message in several parts is one message; a missing part is an error."""
        parts = [Message(900, 1, bytes([65 + n]) * 30, parts=3, part=n + 1) for n in range(3)]
        (found,) = list(Framer().feed(b"".join(map(encode, parts))))
        assert found.data == b"A" * 30 + b"B" * 30 + b"C" * 30
        with pytest.raises(DataError, match="part 3 of 3 instead of 2"):
            list(Framer().feed(encode(parts[0]) + encode(parts[2])))

    def test_headers(self) -> None:
        """Spaces and 000 mean revision 1; the no-ack flag, station and spindle are read."""
        assert message("00200005            ").revision == 1
        assert message("00200005000         ").revision == 1
        got = message("0020006100310207    ")
        assert (got.revision, got.no_ack, got.station, got.spindle) == (3, True, "02", "07")

    def test_too_long_to_send(self) -> None:
        """A message that does not fit into its length field is refused."""
        with pytest.raises(DataError):
            encode(Message(50, 1, b"x" * 10_000))

    def test_speed(self) -> None:
        """A thousand results are cut and taken apart in well under a second."""
        began = time.process_time()
        found = [decode(one) for one in Framer().feed((RESULT_2.encode() + b"\0") * 1000)]
        assert len(found) == 1000
        assert time.process_time() - began < 2


class TestClock:
    BERLIN = ZoneInfo("Europe/Berlin")

    def test_local_time(self) -> None:
        """Local time of summer and winter becomes UTC, and back."""
        assert from_us(to_us("2026-07-01:12:00:00", self.BERLIN) or 0, ZoneInfo("UTC")) == "2026-07-01:10:00:00"
        assert from_us(to_us("2026-01-01:12:00:00", self.BERLIN) or 0, ZoneInfo("UTC")) == "2026-01-01:11:00:00"

    def test_the_hour_that_comes_twice(self) -> None:
        """Results go forward through the end of summer time."""
        last, seen = 0, []
        for text in ("01:59:30", "02:30:00", "02:59:59", "02:00:01", "02:30:00", "03:00:00"):
            last = to_us(f"2026-10-25:{text}", self.BERLIN, last) or 0
            seen.append(last // 1_000_000)
        assert seen == sorted(seen)
        assert seen[-1] - seen[0] == 2 * 3600 + 30

    @pytest.mark.parametrize("text", ["", "2026-13-01:00:00:00", "0000-00-00:00:00:00", "yesterday", "\0" * 19])
    def test_no_time(self, text: str) -> None:
        """What is no time is told so."""
        assert to_us(text, self.BERLIN) is None


class TestOrder:
    @pytest.mark.parametrize(
        ("number", "seconds", "new"),
        [(11, 0, True), (10, 0, False), (9, -5, False), (10, 60, False), (1, 60, True), (4_294_967_295, 1, True)],
    )
    def test_what_is_new(self, number: int, seconds: int, new: bool) -> None:
        """A higher number is new; a lower one is only when its time is later, as after a controller's reset."""
        last = Position(10, 1_000_000_000)
        assert Result(number, 1_000_000_000 + seconds * 1_000_000, {}, True).is_new(last) is new

    def test_what_is_missing(self) -> None:
        """The numbers in between, at most as many as allowed, the newest of them."""
        assert list(Result(15, 0, {}, True).missing_before(Position(10, 0), 100)) == [11, 12, 13, 14]
        assert list(Result(15, 0, {}, True).missing_before(Position(10, 0), 2)) == [13, 14]
        assert not Result(15, 0, {}, True).missing_before(None, 100)
        assert not Result(3, 0, {}, True).missing_before(Position(10, 0), 100)

    def test_two_in_one_second(self) -> None:
        """Times of whole seconds stay in order by a microsecond each."""
        first = Result(1, 5_000_000, {}, True)
        second = Result(2, 5_000_000, {}, True)
        at = first.after(None)
        assert second.after(Position(1, at)) == 5_000_001
        assert Result(3, 6_000_000, {}, True).after(Position(2, 5_000_001)) == 6_000_000

    @pytest.mark.parametrize("text", ["", "7", "x:1", "1:x", "-1:5", "99999999999:1"])
    def test_foreign_positions(self, text: str) -> None:
        """Only what position gave is taken."""
        with pytest.raises(DataError):
            Position.of(text)
