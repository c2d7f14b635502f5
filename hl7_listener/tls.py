"""TLS for one listener: its certificate, and whose clients' certificates it takes."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files."""

    certificate: Path
    """Ours, with the certificates between it and its authority."""
    key: Path
    """Its private key, without a passphrase."""
    clients_ca: Path | None = None
    """Who vouches for clients; when set, a client without such a certificate is refused."""


class BadCertificate(Exception):
    """A file cannot be used; its words name no content."""

    def __init__(self, key: Literal["certificate", "key", "clients_ca"], text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key = key
        """Which of `TlsFiles`."""
        self.text = text


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """What new connections are secured with: TLS 1.2 or newer. Raises BadCertificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _readable("certificate", files.certificate)
    _readable("key", files.key)
    try:
        context.load_cert_chain(files.certificate, files.key, _no_passphrase)
    except ssl.SSLError as error:
        raise _of_pair(error) from None
    if files.clients_ca is not None:
        _readable("clients_ca", files.clients_ca)
        try:
            context.load_verify_locations(files.clients_ca)
        except ssl.SSLError:
            raise BadCertificate("clients_ca", "holds no certificate in PEM form") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def file_stamps(files: TlsFiles) -> tuple[tuple[int, ...], ...]:
    """What changes when one of the files does; empty for one that is not there."""
    return tuple(_stamp(path) for path in (files.certificate, files.key, files.clients_ca) if path)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _readable(key: Literal["certificate", "key", "clients_ca"], path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise BadCertificate(key, f"{path} cannot be read ({error.strerror})") from None


def _no_passphrase() -> str:
    raise BadCertificate("key", "is locked with a passphrase; give one without")


def _of_pair(error: ssl.SSLError) -> BadCertificate:
    """OpenSSL does not say which of the two files it means, only what it found."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return BadCertificate("key", "is not the key of the certificate")
    return BadCertificate(
        "certificate", "it and the key must be PEM files: the certificate first, then its key"
    )
