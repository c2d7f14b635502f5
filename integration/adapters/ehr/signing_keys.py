"""The private keys that say who we are to the EHR: read from a PEM, a JWK or a JWK Set, and shown in public.

A key signs from the time in its `nbf` on, until another of its algorithm does; all are published (RFC 7517),
so that the EHR knows a key before it meets it. A key goes by its `kid`, else by its RFC 7638 thumbprint.
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

Algorithm = Literal["RS384", "ES384"]  # a client must be able to do both (SMART, asymmetric authentication)
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("ES384", "RS384")
SMALLEST_RSA: Final = 2048  # bits (RFC 7518, 3.3)
_EVER: Final = datetime.fromtimestamp(0, UTC)
_OPEN_TO_OTHERS: Final = stat.S_IWGRP | stat.S_IRWXO
_WANTED: Final = "an RSA key of 2048 bits or more, or an EC key on P-384"

_log = structlog.get_logger()


class BadKey(Exception):
    """This is no private key we can sign with; the words never quote it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of ours."""

    kid: str
    algorithm: Algorithm
    signs_from: datetime  # wall
    key: RSAKey | ECKey = field(repr=False)

    def public(self) -> dict[str, Any]:
        """Its public half as a JWK: what is private is never among these members."""
        members = ("kty", "n", "e") if self.algorithm == "RS384" else ("kty", "crv", "x", "y")
        shown = self.key.as_dict(private=False)
        bare = {name: shown[name] for name in members}
        return bare | {"kid": self.kid, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}

    def private(self) -> dict[str, Any]:
        """The whole of it, to be kept."""
        members = {name: value for name, value in self.key.as_dict(private=True).items() if name != "key_ops"}
        begins = {} if self.signs_from == _EVER else {"nbf": int(self.signs_from.timestamp())}
        return members | {"kid": self.kid, "alg": self.algorithm, "use": "sig"} | begins


class KeyRing:
    """Our keys; those of a file are read again when it has changed. Threads may share it."""

    def __init__(self, text: str, file: Path | None = None) -> None:
        """The keys of this text, or as `file` has them. Raises BadKey."""
        self._file = file
        self._lock = Lock()
        self._mark = _mark(file)
        self._keys = read_keys(text)

    def current(self) -> tuple[SigningKey, ...]:
        """Those of now; a changed file that is no good leaves those that were."""
        if self._file is None:
            return self._keys
        with self._lock:
            mark = _mark(self._file)
            if mark != self._mark:
                self._mark = mark
                self._read_again(self._file)
            return self._keys

    def is_open_to_others(self) -> bool:
        """Whether the file may be read, or written, by more than its owner and its group's readers."""
        if self._file is None:
            return False
        try:
            return bool(self._file.stat().st_mode & _OPEN_TO_OTHERS)
        except OSError:
            return False

    def _read_again(self, file: Path) -> None:
        try:
            self._keys = read_keys(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, BadKey) as error:
            _log.error("ehr_private_key_unusable", error=type(error).__name__, kept=len(self._keys))
        else:
            _log.info("ehr_private_key_read_again", keys=[each.kid for each in self._keys])


def read_keys(text: str) -> tuple[SigningKey, ...]:
    """The private keys of a PEM, a JWK or a JWK Set; at least one. Raises BadKey."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return (_from_pem(stripped),)
    try:
        written = json.loads(stripped)
    except ValueError:
        raise BadKey("it begins like a JWK and is no JSON") from None
    jwks = written.get("keys", [written])
    if not isinstance(jwks, list) or not jwks:
        raise BadKey("its `keys` should be a list of private JWKs, and is none or empty")
    keys = tuple(_from_jwk(each) for each in jwks)
    if len({each.kid for each in keys}) < len(keys):
        raise BadKey("two of its keys have the same kid")
    return keys


def signer(
    keys: Sequence[SigningKey], algorithms: Collection[str] | None, now: datetime
) -> SigningKey | None:
    """The key to sign with now, of those the server understands (None: it does not say).

    The one that began last; of those that began together the first. None when there is none.
    """
    begun = [each for each in keys if each.signs_from <= now]
    usable = (each for each in begun if algorithms is None or each.algorithm in algorithms)
    return max(usable, key=lambda each: each.signs_from, default=None)


def published(keys: Sequence[SigningKey]) -> dict[str, list[dict[str, Any]]]:
    """The JWK Set for /.well-known/jwks.json (RFC 7517, 5): public halves alone, future signers too."""
    return {"keys": [each.public() for each in keys]}


def new_key(algorithm: Algorithm, signs_from: datetime = _EVER) -> SigningKey:
    """A fresh key, RSA of 3072 bits or EC P-384."""
    key = ECKey.generate_key("P-384") if algorithm == "ES384" else RSAKey.generate_key(3072)
    return SigningKey(key.thumbprint(), algorithm, signs_from, key)


def _from_pem(text: str) -> SigningKey:
    # A variable that cannot hold lines often has them as \n.
    pem = (text if "\n" in text else text.replace("\\n", "\n")).encode()
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise BadKey("it is locked with a passphrase; give it without one") from None
    except Exception:  # noqa: BLE001 - whatever trips the parser, its words may quote the key
        raise BadKey(f"it is no private key in PEM, JWK or JWK Set; {_WANTED} is needed") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SMALLEST_RSA:
        ours: RSAKey | ECKey = RSAKey.import_key(pem)
        return SigningKey(ours.thumbprint(), "RS384", _EVER, ours)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        ours = ECKey.import_key(pem)
        return SigningKey(ours.thumbprint(), "ES384", _EVER, ours)
    raise BadKey(f"it is a private key of another kind; {_WANTED} is needed")


def _from_jwk(jwk: Any) -> SigningKey:
    if not isinstance(jwk, dict) or "d" not in jwk:
        raise BadKey("it is a public JWK, or none; the private one has a member `d`")
    kind = jwk.get("kty"), jwk.get("crv")
    if kind != ("EC", "P-384") and not (kind[0] == "RSA" and _bits(jwk.get("n")) >= SMALLEST_RSA):
        raise BadKey(f"it is a JWK of another kind; {_WANTED} is needed")
    algorithm: Algorithm = "ES384" if kind[0] == "EC" else "RS384"
    if jwk.get("alg", algorithm) != algorithm:
        raise BadKey(f"its `alg` does not fit; for this key it is {algorithm}")
    members = ("kty", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi")
    bare = {name: jwk[name] for name in members if name in jwk}
    try:
        key = ECKey.import_key(bare) if algorithm == "ES384" else RSAKey.import_key(bare)
        key.private_key  # noqa: B018 - it is put together when asked for
    except (JoseError, ValueError, TypeError, KeyError):
        raise BadKey("its members make no private key") from None
    try:
        begins = datetime.fromtimestamp(jwk.get("nbf", 0), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise BadKey("its `nbf` is no number of seconds since 1970") from None
    return SigningKey(str(jwk.get("kid") or key.thumbprint()), algorithm, begins, key)


def _bits(modulus: Any) -> int:
    """Roughly, from base64url: six bits a character."""
    return len(modulus) * 6 if isinstance(modulus, str) else 0


def _mark(file: Path | None) -> tuple[int, int, int] | None:
    """What changes when the file does; None when it cannot be seen."""
    try:
        seen = None if file is None else file.stat()
    except OSError:
        return None
    return None if seen is None else (seen.st_mtime_ns, seen.st_size, seen.st_ino)
