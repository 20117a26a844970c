"""Sequence numbers, the inbox, and what a birth says."""

from __future__ import annotations

import math

import pytest

from lineshaft.errors import ConfigError, DataError
from lineshaft.hub.ingest import BrokerLogin
from lineshaft.hub.ingest.births import present_values, read_birth, slug
from lineshaft.hub.ingest.inbox import Arrival, Inbox, Signal
from lineshaft.hub.ingest.sequence import Order, Sequence
from lineshaft.model.equipment import SignalKind, valid_id
from lineshaft.model.samples import Quality
from lineshaft.wire import names
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType


def test_numbers_wrap_without_a_gap() -> None:
    """0..255 and again 0 are in order."""
    sequence = Sequence()
    sequence.begin(0)
    assert all(sequence.see(number % 256, 0.0) is Order.NEXT for number in range(1, 600))
    assert sequence.gap_since is None


def test_a_gap_stands_until_all_have_come() -> None:
    """The time of the first missing message is kept; late ones close the gap."""
    sequence = Sequence()
    sequence.begin(250)
    assert sequence.see(254, 5.0) is Order.AHEAD
    assert sequence.see(1, 6.0) is Order.AHEAD
    assert sequence.gap_since == 5.0
    for number in (251, 255, 252, 0, 253):
        assert sequence.see(number, 7.0) is Order.LATE
    assert sequence.gap_since is None
    assert sequence.see(2, 8.0) is Order.NEXT


def test_a_repeated_number_is_no_gap() -> None:
    """A node that repeats itself, as real ones do, is not asked for a rebirth for that."""
    sequence = Sequence()
    sequence.begin(0)
    assert [sequence.see(number, 0.0) for number in (1, 1, 0, 2)] == [
        Order.NEXT,
        Order.REPEATED,
        Order.REPEATED,
        Order.NEXT,
    ]
    assert sequence.gap_since is None


def test_a_full_inbox_keeps_marks_in_place_of_messages() -> None:
    """Order and number of messages stay known, memory is bounded, births may use more."""
    inbox = Inbox(10_000)
    assert inbox.put(Arrival("a", bytes(9000), 0.0))
    assert not inbox.put(Arrival("b", bytes(9000), 0.0))
    assert inbox.put(Arrival("c", bytes(9000), 0.0), always=True)
    inbox.put(Signal.LOST)
    assert inbox.size_bytes < 20_000
    taken = [inbox.get(0.0) for _ in range(4)]
    assert [None if not isinstance(item, Arrival) else item.payload for item in taken] == [
        bytes(9000),
        None,
        bytes(9000),
        None,
    ]
    assert taken[3] is Signal.LOST
    assert inbox.size_bytes == 0
    assert inbox.get(0.0) is None


@pytest.mark.parametrize(
    ("text", "made"), [("Press #3", "press-3"), ("Motor/1", "motor-1"), ("a.b_c-d", "a.b_c-d"), ("Ä ö", "x")]
)
def test_any_name_becomes_an_id(text: str, made: str) -> None:
    """Names of foreign nodes become parts of a path."""
    assert slug(text).startswith(made)
    assert valid_id(slug(text))


def foreign(*metrics: Metric) -> Payload:
    return Payload(1_000, 0, metrics)


def test_metrics_that_differ_by_signs_get_different_paths() -> None:
    """No two metrics of a birth share a signal."""
    payload = foreign(*(Metric(name, SparkplugType.DOUBLE, 1.0) for name in ("A b", "A-b", "a_b", "A B")))
    birth = read_birth(payload, "acme", "G", "n", "d")
    paths = [one.signal.path for one in birth.born]
    assert len(set(paths)) == 4
    assert paths[0] == "acme/g/n/d/a-b"


def test_odd_properties_do_no_harm() -> None:
    """Properties of a wrong type are left out."""
    odd = {
        names.KIND: "sometimes",
        names.LOW: "low",
        names.HIGH: float("inf"),
        names.DECIMALS: 99,
        names.STATES: "[1, 2",
        names.PATH: "Not A Path",
    }
    birth = read_birth(foreign(Metric("x", SparkplugType.BOOLEAN, True, properties=odd)), "acme", "g", "n", "")
    signal = birth.born[0].signal
    assert (signal.kind, signal.low, signal.high, signal.decimals, signal.states) == (
        SignalKind.STATE,
        None,
        None,
        None,
        (),
    )
    assert signal.path == "acme/g/n/x"


def test_present_values_carry_time_quality_and_digits() -> None:
    """A metric without time takes the message's; null ones count when they say why; digits stay."""
    birth = read_birth(
        foreign(
            Metric("a", SparkplugType.DOUBLE, 2.5, timestamp=2_000, properties={names.QUALITY: 500}),
            Metric("b", SparkplugType.DOUBLE, null=True),
            Metric("c", SparkplugType.UINT64, 2**63),
            Metric("d", SparkplugType.STRING, "on"),
            Metric("e", SparkplugType.INT32, null=True, properties={names.QUALITY: 0, names.QUALITY_BYTE: 2}),
            Metric("f", SparkplugType.INT32, null=True, properties={names.QUALITY_BYTE: 99}),
        ),
        "acme",
        "g",
        "n",
        "",
    )
    batch, rows = present_values(birth, 1_000, 9_000_000)
    assert rows == [0, 2, 3, 4]
    assert batch.times.tolist() == [2_000_000, 1_000_000, 1_000_000, 1_000_000]
    assert batch.qualities.tolist() == [Quality.STALE, Quality.GOOD, Quality.GOOD, Quality.BAD_ADDRESS]
    assert math.isnan(batch.values[3])
    assert batch.texts is not None
    assert batch.texts.tolist() == [None, str(2**63), "on", None]


def test_an_absurd_alias_is_refused() -> None:
    """An alias indexes a table: a huge one would fill the memory."""
    with pytest.raises(DataError, match="alias"):
        read_birth(foreign(Metric("x", SparkplugType.DOUBLE, 1.0, alias=2**40)), "acme", "g", "n", "")


@pytest.mark.parametrize("url", ["http://x", "localhost:1883", "mqtt://", "mqtt://h:99999"])
def test_a_wrong_broker_address_is_a_configuration_error(url: str) -> None:
    """The message shows what a right one looks like."""
    with pytest.raises(ConfigError) as found:
        BrokerLogin.parse(url)
    assert "mqtt://host" in found.value.hint


def test_the_password_is_not_in_the_words_of_a_login() -> None:
    """A log line with a login in it tells no secret."""
    login = BrokerLogin.parse("mqtts://broker", "hub", "secret")
    assert "secret" not in repr(login)
    assert (login.port, login.tls) == (8883, True)
