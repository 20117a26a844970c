"""The trust list: who is trusted, and the step by which a person accepts a server."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lineshaft.drivers import base
from lineshaft.drivers.opcua import SPEC
from lineshaft.drivers.opcua.trust import CertificateUnknown, TrustList, application_uri_of, load_certificate
from lineshaft.errors import AccessDenied, AddressInvalid
from lineshaft.model.events import Event

from .servers import PEER_URI, Peer, options_of, peer_modules, points

URL = "opc.tcp://press:4840"
Key = ec.EllipticCurvePrivateKey


def certificate(
    name: str, *, ca: bool = False, issuer: tuple[x509.Certificate, Key] | None = None, days: int = 30, uri: str = ""
) -> tuple[x509.Certificate, Key]:
    """A certificate that ends in `days`, with its key; issued by itself, or by `issuer`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    end = datetime.now(UTC) + timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=90))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri or f"urn:{name}")]), False)
    )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def der(made: tuple[x509.Certificate, Key]) -> bytes:
    return made[0].public_bytes(Encoding.DER)


def test_the_own_certificate_is_made_once_and_says_who_it_is(tmp_path: Path) -> None:
    """Application URI, host, usages, a key that fits and that nobody else may read."""
    trust = TrustList(tmp_path / "pki")
    file, key_file = trust.own()
    made = load_certificate(file)
    assert application_uri_of(made).startswith("urn:")
    key = load_pem_private_key(key_file.read_bytes(), None)
    assert key.public_key() == made.public_key()
    assert key_file.stat().st_mode & 0o777 == 0o600
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_encipherment
    assert ExtendedKeyUsageOID.CLIENT_AUTH in made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert trust.own() == (file, key_file)
    assert load_certificate(file) == made
    assert [entry.name for entry in (tmp_path / "pki").iterdir()] == ["own"]


def test_an_unknown_server_waits_in_rejected_until_it_is_accepted(tmp_path: Path) -> None:
    """The error shows the thumbprint; accepting it by its beginning is enough, and can be taken back."""
    trust, server = TrustList(tmp_path), der(certificate("press"))
    thumbprint = hashlib.sha1(server, usedforsecurity=False).hexdigest().upper()
    with pytest.raises(CertificateUnknown, match=thumbprint) as raised:
        trust.check(URL, server, "urn:press")
    assert str(tmp_path / "rejected" / f"{thumbprint}.der") in raised.value.hint
    assert [(entry.thumbprint, entry.state) for entry in trust.entries()] == [(thumbprint, "rejected")]
    entry = trust.accept(f"{thumbprint[:2]}:{thumbprint[2:8].lower()}")
    assert (entry.state, entry.subject, entry.application_uri) == ("trusted", "CN=press", "urn:press")
    trust.check(URL, server, "urn:press")
    with pytest.raises(CertificateUnknown):
        trust.check(URL, der(certificate("press")), "urn:press")
    trust.reject(thumbprint)
    with pytest.raises(CertificateUnknown):
        trust.check(URL, server, "urn:press")


def test_accepting_needs_one_that_is_meant(tmp_path: Path) -> None:
    """An unknown thumbprint, or too short a beginning, names what there is."""
    trust, server = TrustList(tmp_path), der(certificate("press"))
    with pytest.raises(AddressInvalid) as raised:
        trust.accept("0123456789")
    assert raised.value.hint == "Known: none."
    with pytest.raises(CertificateUnknown):
        trust.check(URL, server, "")
    with pytest.raises(AddressInvalid):
        trust.accept("")
    assert {entry.state for entry in trust.entries()} == {"rejected"}


def test_a_trusted_issuer_vouches_for_its_servers(tmp_path: Path) -> None:
    """Their dates and application URI have to be right; one who only bears the issuer's name is unknown."""
    authority, stranger = certificate("plant CA", ca=True), certificate("plant CA", ca=True)
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "ca.pem").write_bytes(authority[0].public_bytes(Encoding.PEM))
    (tmp_path / "trusted" / "notes.txt").write_text("not a certificate")
    (tmp_path / "trusted" / "broken.der").write_bytes(b"nonsense")
    trust = TrustList(tmp_path)
    good = der(certificate("press", issuer=authority))
    trust.check(URL, good + der(authority), "urn:press")
    with pytest.raises(AccessDenied, match="urn:mill"):
        trust.check(URL, good, "urn:mill")
    with pytest.raises(AccessDenied, match="valid from"):
        trust.check(URL, der(certificate("press", issuer=authority, days=-1)), "urn:press")
    with pytest.raises(CertificateUnknown):
        trust.check(URL, der(certificate("press", issuer=stranger)), "urn:press")
    leaf = certificate("clerk", issuer=authority)
    (tmp_path / "trusted" / "leaf.der").write_bytes(der(leaf))
    with pytest.raises(CertificateUnknown):
        trust.check(URL, der(certificate("press", issuer=leaf)), "urn:press")


def test_an_accepted_certificate_stays_accepted_past_its_end(tmp_path: Path) -> None:
    """It is still the same key, and a machine must not fall silent on a date."""
    trust, server = TrustList(tmp_path), der(certificate("press", days=-1))
    with pytest.raises(CertificateUnknown):
        trust.check(URL, server, "")
    trust.accept(trust.entries()[0].thumbprint)
    trust.check(URL, server, "")


@pytest.mark.parametrize("wrong", [b"", b"\x30", b"\x30\x82\xff\xff\x00", b"\x30\x82\x00\x02\x05\x00", b"x" * 100])
def test_a_malformed_certificate_is_refused(tmp_path: Path, wrong: bytes) -> None:
    """It is neither trusted nor kept."""
    with pytest.raises(AccessDenied, match="malformed"):
        TrustList(tmp_path).check(URL, wrong, "")
    assert list(tmp_path.iterdir()) == []


async def test_a_foreign_server_is_accepted_by_a_person(tmp_path: Path) -> None:
    """Refused with an event and with a finding that shows the thumbprint; after the accept step it is read."""
    events: list[Event] = []
    async with Peer(peer_modules(), tmp_path / "peer") as peer:
        driver = SPEC.create(options_of(peer.url, security="Aes256_Sha256_RsaPss"))
        assert isinstance(driver, base.KeepsFiles)
        assert isinstance(driver, base.EmitsEvents)
        assert isinstance(driver, base.TestsConnection)
        driver.emit_events("site/gw/press", events.append)
        with pytest.raises(AccessDenied, match="no folder for certificates"):
            await driver.connect()
        driver.keep_files(tmp_path)
        for _ in range(2):
            with pytest.raises(CertificateUnknown) as raised:
                await driver.connect()
        (event,) = events
        assert (event.kind, event.subject) == ("opcua.certificate_unknown", "site/gw/press")
        assert event.details["thumbprint"] == raised.value.entry.thumbprint
        finding = (await driver.test_connection())[-1]
        assert not finding.passed
        assert raised.value.entry.thumbprint in finding.detail
        TrustList(tmp_path / "pki" / "opcua").accept(raised.value.entry.thumbprint)
        async with asyncio.timeout(30):
            await driver.connect()
            batch = await driver.read(points("Machine.Pressure", uri=PEER_URI))
        await driver.close()
        assert batch.values.tolist() == [6.5]
