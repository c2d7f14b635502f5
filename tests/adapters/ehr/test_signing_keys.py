"""Keys as sites have them: what is taken, what is refused and how that is said, and what is shown of them."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey

from integration.adapters.ehr.key_rotation import make, rotate
from integration.adapters.ehr.signing_keys import BadKey, KeyRing, new_key, published, read_keys, signer

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
EC = new_key("ES384")
RSA = new_key("RS384")


def pem(key: PrivateKeyTypes, passphrase: bytes | None = None, *, old: bool = False) -> str:
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    form = serialization.PrivateFormat.TraditionalOpenSSL if old else serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, locked).decode()


RSA_2048 = rsa.generate_private_key(65537, 2048)
P384 = ec.generate_private_key(ec.SECP384R1())
TAKEN = {
    "RSA, PKCS 8": (pem(RSA_2048), "RS384"),
    "RSA, PKCS 1": (pem(RSA_2048, old=True), "RS384"),
    "P-384, PKCS 8": (pem(P384), "ES384"),
    "P-384, SEC 1": (pem(P384, old=True), "ES384"),
    "a PEM in one line": (pem(P384).replace("\n", "\\n"), "ES384"),
    "a JWK": (json.dumps(EC.private()), "ES384"),
    "an RSA JWK": (json.dumps(RSA.private()), "RS384"),
    "a JWK Set": (json.dumps({"keys": [RSA.private(), EC.private()]}), "RS384"),
}


@pytest.mark.parametrize(("text", "algorithm"), TAKEN.values(), ids=TAKEN.keys())
def test_keys_are_taken_as_sites_have_them(text: str, algorithm: str) -> None:
    assert read_keys(f"\n{text}\n")[0].algorithm == algorithm


REFUSED = {
    "nothing of the kind": ("s3cret", "no private key in PEM"),
    "a public key": (
        P384.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        "no private key in PEM",
    ),
    "a small RSA key": (pem(rsa.generate_private_key(65537, 1024)), "2048 bits or more"),  # noqa: S505 - refused
    "another curve": (pem(ec.generate_private_key(ec.SECP256R1())), "P-384"),
    "another algorithm": (pem(ed25519.Ed25519PrivateKey.generate()), "another kind"),
    "a passphrase": (pem(P384, b"s3cret"), "locked with a passphrase"),
    "broken JSON": ('{"d": "s3cret"', "no JSON"),
    "a public JWK": (json.dumps(EC.public()), "a public JWK"),
    "a JWK of another curve": (json.dumps(ECKey.generate_key("P-256").as_dict(private=True)), "P-384"),
    "a JWK for something else": (json.dumps(EC.private() | {"alg": "ECDH-ES"}), "`alg`"),
    "a small RSA JWK": (json.dumps(RSA.private() | {"n": "s3cret"}), "2048 bits or more"),
    "a JWK that is damaged": (json.dumps(EC.private() | {"d": "s3cret!"}), "make no private key"),
    "an empty set": ('{"keys": []}', "empty"),
    "keys that are none": ('{"keys": {"d": "s3cret"}}', "list"),
    "a set of words": ('{"keys": ["s3cret"]}', "public JWK, or none"),
    "the same key twice": (json.dumps({"keys": [EC.private()] * 2}), "same kid"),
    "a beginning that is no time": (json.dumps(EC.private() | {"nbf": "s3cret"}), "`nbf`"),
    "a beginning beyond all times": (json.dumps(EC.private() | {"nbf": 10**30}), "`nbf`"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_we_cannot_sign_with_is_refused_without_a_word_of_it(text: str, said: str) -> None:
    with pytest.raises(BadKey) as refused:
        read_keys(text)
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert EC.private()["d"] not in str(refused.value)


def test_only_public_halves_are_published() -> None:
    shown = published([EC, RSA])["keys"]
    assert [set(each) & PRIVATE_MEMBERS for each in shown] == [set(), set()]
    assert set(shown[0]) == {"kty", "crv", "x", "y", "kid", "alg", "use", "key_ops"}
    assert set(shown[1]) == {"kty", "n", "e", "kid", "alg", "use", "key_ops"}
    assert [(each["alg"], each["use"], each["key_ops"]) for each in shown] == [
        ("ES384", "sig", ["verify"]),
        ("RS384", "sig", ["verify"]),
    ]


def test_a_key_goes_by_its_thumbprint_unless_it_has_a_name() -> None:
    bare = {name: value for name, value in EC.private().items() if name != "kid"}
    (unnamed,) = read_keys(json.dumps(bare))
    # RFC 7638, 3: the required members in order, without a space, through SHA-256.
    required = {name: bare[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()
    assert unnamed.kid == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    (named,) = read_keys(json.dumps(bare | {"kid": "as-registered"}))
    assert named.kid == "as-registered"


def test_the_key_that_began_last_signs_and_a_future_one_does_not() -> None:
    first, second = new_key("ES384"), new_key("ES384", NOW)
    keys = [second, first, RSA]
    before = NOW - timedelta(seconds=1)
    assert signer(keys, None, before) is first
    assert signer(keys, {"ES384"}, NOW) is second
    assert signer(keys, {"RS384"}, NOW) is RSA
    assert signer(keys, {"ES512"}, NOW) is None


def test_a_new_file_is_for_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = make(file, "ES384")
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        make(file, "ES384")
    assert [each.kid for each in read_keys(file.read_text())] == [key.kid]


def test_rotation_keeps_permissions_and_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.pem"
    file.write_text(pem(RSA_2048))
    file.chmod(0o640)
    (old,) = read_keys(file.read_text())
    fresh, dropped = rotate(file, NOW, timedelta(hours=24))
    assert (fresh.algorithm, fresh.signs_from, dropped) == ("RS384", NOW + timedelta(hours=24), [])
    assert [each.kid for each in read_keys(file.read_text())] == [fresh.kid, old.kid]
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "keys.json", tmp_path / "link.json"
    make(file, "ES384")
    link.symlink_to(file)
    rotate(link, NOW, timedelta(0))
    assert link.is_symlink()
    assert len(read_keys(file.read_text())) == 2


def test_keys_that_ended_a_day_ago_are_dropped_and_not_those_of_another_algorithm(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first = make(file, "ES384")
    text = json.loads(file.read_text())
    text["keys"].append(RSA.private())
    file.write_text(json.dumps(text))
    second, _ = rotate(file, NOW, timedelta(hours=1))
    third, dropped = rotate(file, NOW + timedelta(hours=24), timedelta(0))
    assert dropped == []  # the first signed until an hour after NOW
    _, dropped = rotate(file, NOW + timedelta(hours=25), timedelta(0))
    assert [each.kid for each in dropped] == [first.kid]
    kids = [each.kid for each in read_keys(file.read_text())]
    assert {second.kid, third.kid, RSA.kid} <= set(kids)


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first = make(file, "ES384")
    ring = KeyRing(file.read_text(), file)
    fresh, _ = rotate(file, NOW, timedelta(0))
    assert [each.kid for each in ring.current()] == [fresh.kid, first.kid]
    file.write_text("s3cret")
    assert [each.kid for each in ring.current()] == [fresh.kid, first.kid]
    file.unlink()
    assert [each.kid for each in ring.current()] == [fresh.kid, first.kid]


@pytest.mark.parametrize(("mode", "too_open"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True)])
def test_a_file_that_others_may_read_is_noticed(tmp_path: Path, mode: int, too_open: bool) -> None:  # noqa: FBT001 - a column of the table
    file = tmp_path / "keys.json"
    make(file, "ES384")
    file.chmod(mode)
    assert KeyRing(file.read_text(), file).is_open_to_others() is too_open
    assert not KeyRing(file.read_text()).is_open_to_others()
