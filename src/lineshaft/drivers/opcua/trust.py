"""Certificates of OPC UA: the own one, and which servers are trusted, as files in own, trusted and rejected."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from uuid import uuid4

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lineshaft.errors import AccessDenied, AddressInvalid

log = structlog.get_logger(__name__)

PKI: Final = Path("pki") / "opcua"
"""The trust list's place in the gateway's data folder."""
_SUFFIXES: Final = frozenset({".der", ".crt", ".cer", ".pem"})
_MOST_REJECTED: Final = 50
_YEARS: Final = 10
_KEY_BITS: Final = 2048  # what every policy and every server takes
_PREFIX: Final = 6
"""Shortest beginning of a thumbprint by which a certificate may be named."""


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """One server certificate in the trust list."""

    thumbprint: str  # SHA-1 of the DER form in capital hex, as OPC UA servers show it
    state: Literal["trusted", "rejected"]
    subject: str
    application_uri: str
    not_after: datetime
    file: Path


class CertificateUnknown(AccessDenied):
    """The server shows a certificate that nobody accepted; it waits in `entry.file`."""

    def __init__(self, url: str, entry: TrustEntry, folder: Path) -> None:
        super().__init__(
            f"{url}: the server's certificate is not trusted yet: {entry.subject}, thumbprint {entry.thumbprint}",
            hint=f"Compare the thumbprint with the one that the server itself shows. If they are the same, accept it: "
            f"lineshaft opcua trust PLANT accept {entry.thumbprint[:8]}, or the page Connect a device, or move "
            f"{entry.file} to {folder / 'trusted'}.",
        )
        self.entry = entry


class TrustList:
    """The folder `own`, `trusted`, `rejected`. Files may be put, moved and deleted by hand at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def own(self) -> tuple[Path, Path]:
        """Certificate (DER) and private key (PEM) of this gateway; made at the first call.

        Takes some 100 ms that time. Raises AccessDenied when the folder cannot be written.
        """
        home = self.folder / "own"
        certificate, key = home / "cert.der", home / "key.pem"
        if certificate.exists() and key.exists():
            return certificate, key
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix="own-", dir=self.folder))
            _make_own(made)
            try:
                made.rename(home)
            except OSError:  # another device of this gateway was quicker
                shutil.rmtree(made)
                if not (certificate.exists() and key.exists()):
                    raise
        except OSError as error:
            raise AccessDenied(
                f"no own certificate can be made in {home}: {error.strerror}",
                hint="Delete that folder if it is not complete.",
            ) from error
        return certificate, key

    def entries(self) -> tuple[TrustEntry, ...]:
        """Every server certificate in the list, by thumbprint."""
        found = [_entry(certificate, state, file) for state, file, certificate in self._files()]
        return tuple(sorted(found, key=lambda entry: entry.thumbprint))

    def accept(self, thumbprint: str) -> TrustEntry:
        """Trust a rejected certificate, named by its thumbprint or the beginning of it.

        Raises AddressInvalid when none or more than one begins so.
        """
        return self._move(thumbprint, "trusted")

    def reject(self, thumbprint: str) -> TrustEntry:
        """Trust a certificate no longer; holds from the next connection on. Raises AddressInvalid as `accept`."""
        return self._move(thumbprint, "rejected")

    def check(self, url: str, chain: bytes, application_uri: str) -> None:
        """Pass a server certificate (DER, issuers may follow) that is in trusted, or is issued by one there.

        Raises CertificateUnknown after it was put into rejected, AccessDenied when it cannot be a server's.
        """
        try:
            certificate = x509.load_der_x509_certificate(leaf_of(chain))
        except ValueError as error:
            raise AccessDenied(f"{url}: the server's certificate is malformed: {error}") from error
        for state, _, known in self._files():
            if state != "trusted":
                continue
            if known == certificate:
                self._judge_accepted(url, certificate)
                return
            if _issued_by(certificate, known):
                _judge_issued(url, certificate, application_uri)
                return
        raise CertificateUnknown(url, self._keep_rejected(certificate), self.folder)

    def _judge_accepted(self, url: str, certificate: x509.Certificate) -> None:
        """An accepted certificate is pinned: past its end it is still the same key, so work goes on."""
        if certificate.not_valid_after_utc < datetime.now(UTC):
            log.warning("certificate has expired", url=url, since=certificate.not_valid_after_utc.isoformat())

    def _keep_rejected(self, certificate: x509.Certificate) -> TrustEntry:
        home = self.folder / "rejected"
        file = home / f"{thumbprint_of(certificate)}.der"
        try:
            home.mkdir(parents=True, exist_ok=True)
            file.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
            by_age = sorted(home.glob("*.der"), key=lambda path: path.stat().st_mtime)
            for old in by_age[:-_MOST_REJECTED]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise AccessDenied(f"{file} cannot be written: {error.strerror}") from error
        return _entry(certificate, "rejected", file)

    def _files(self) -> Iterator[tuple[Literal["trusted", "rejected"], Path, x509.Certificate]]:
        states: tuple[Literal["trusted", "rejected"], ...] = ("trusted", "rejected")
        for state in states:
            for file in sorted((self.folder / state).glob("*")):
                if file.suffix.lower() not in _SUFFIXES:
                    continue
                try:
                    yield state, file, load_certificate(file)
                except (OSError, ValueError) as error:
                    log.warning("not a certificate", file=str(file), error=str(error))

    def _move(self, thumbprint: str, state: Literal["trusted", "rejected"]) -> TrustEntry:
        wanted = "".join(character for character in thumbprint.upper() if character not in " :")
        entries = self.entries()
        found = [entry for entry in entries if len(wanted) >= _PREFIX and entry.thumbprint.startswith(wanted)]
        if len({entry.thumbprint for entry in found}) != 1:
            known = ", ".join(f"{entry.thumbprint} ({entry.state})" for entry in entries) or "none"
            raise AddressInvalid(f"no single certificate has the thumbprint {thumbprint}", hint=f"Known: {known}.")
        home = self.folder / state
        home.mkdir(parents=True, exist_ok=True)
        for entry in found:
            if entry.state != state:
                entry.file.replace(home / entry.file.name)
        return next(entry for entry in self.entries() if entry.thumbprint == found[0].thumbprint)


def leaf_of(chain: bytes) -> bytes:
    """The first certificate of a chain of DER certificates laid end to end (OPC 10000-6 6.2.6).

    Raises ValueError when that is not what it is.
    """
    if len(chain) < 4 or chain[0] != 0x30 or not chain[1] & 0x80:
        raise ValueError("not a DER certificate")
    size = chain[1] & 0x7F
    length = 2 + size + int.from_bytes(chain[2 : 2 + size], "big")
    if size > 4 or length > len(chain):
        raise ValueError("not a whole DER certificate")
    return chain[:length]


def load_certificate(file: Path | str) -> x509.Certificate:
    """A certificate from a PEM or DER file. Raises OSError or ValueError."""
    data = Path(file).read_bytes()
    pem = data.lstrip().startswith(b"-----BEGIN")
    return x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)


def application_uri_of(certificate: x509.Certificate) -> str:
    """The URI in SubjectAltName, '' when there is none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "")


def thumbprint_of(certificate: x509.Certificate) -> str:
    """SHA-1 of the DER form in capital hex (OPC 10000-6 6.2.2); a name for people, trust compares whole files."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def _entry(certificate: x509.Certificate, state: Literal["trusted", "rejected"], file: Path) -> TrustEntry:
    return TrustEntry(
        thumbprint_of(certificate),
        state,
        certificate.subject.rfc4514_string(),
        application_uri_of(certificate),
        certificate.not_valid_after_utc,
        file,
    )


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return constraints.ca and certificate.subject != certificate.issuer


def _judge_issued(url: str, certificate: x509.Certificate, application_uri: str) -> None:
    """Trusted only through its issuer, so its dates and its URI must be right."""
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise AccessDenied(
            f"{url}: the server's certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d} "
            f"to {certificate.not_valid_after_utc:%Y-%m-%d}",
            hint="Renew it at the server, or look at the clock of this computer.",
        )
    if application_uri and application_uri_of(certificate) != application_uri:
        raise AccessDenied(
            f"{url}: the certificate is that of {application_uri_of(certificate) or 'no application'}, "
            f"the server says that it is {application_uri}"
        )


def _make_own(folder: Path) -> None:
    """Write key.pem and cert.der as OPC 10000-6 6.2.2 wants an application's certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    host = socket.gethostname()
    uri = f"urn:{host}:lineshaft:gateway:{uuid4().hex[:8]}"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Lineshaft gateway at {host}"[:64])])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), x509.DNSName(host)]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle = os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(private)
    (folder / "cert.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
