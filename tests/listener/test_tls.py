"""TLS: who may connect with which certificate, what is said of bad files, and renewal under way."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hl7_listener.framing import frame
from hl7_listener.server import ListenerSettings
from hl7_listener.tls import BadCertificate, TlsFiles, file_stamps, server_context
from tests.listener.certificates import Authority
from tests.listener.fakes import Sender, Site, listening, message, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.listener.conftest import Told

MAIN = ListenerSettings("main", port=0)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("hospital"), "hospital")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


async def one(site: Site, context: ssl.SSLContext | None, name: str = "A1") -> str:
    return await (await site.send(message(name), tls=context)).msa()


async def refused(site: Site, context: ssl.SSLContext | None) -> None:
    """The connection is ended before anything is answered, at the handshake or right after it."""
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await one(site, context)


def test_a_message_over_tls_is_kept_and_answered(ours: Authority) -> None:
    async def story() -> None:
        async with listening(tls=server_context(ours.issue("server"))) as site:
            sender = await site.send(message("A1"), message("A2"), tls=ours.client())
            assert [await sender.msa(), await sender.msa()] == ["AA A1", "AA A2"]
            sender.writer.write(frame(message("A3", "NTE|1||" + "x" * 300_000 + "\r")))
            assert await sender.msa() == "AA A3"
            secured = sender.writer.get_extra_info("ssl_object")
            assert secured.version() in {"TLSv1.2", "TLSv1.3"}
            assert site.inbox.control_ids == ["A1", "A2", "A3"]

    asyncio.run(story())


async def with_the_handshake(site: Site, ours: Authority, payload: bytes) -> bytes:
    """What comes back, to the end, when the first frame shares a packet with the handshake's last flight."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ours.client().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    raw = await site.connect()
    found = b""
    written = False
    while b"MSA" not in found:
        try:
            if not written:
                client.do_handshake()
                client.write(frame(payload))
                written = True
            came = client.read(65536)
            found += came
            if not came:  # closed in order; cut off would have raised
                break
        except ssl.SSLWantReadError:
            raw.writer.write(outgoing.read())
            async with asyncio.timeout(10):
                came = await raw.reader.read(65536)
            incoming.write(came)
            if not came:
                incoming.write_eof()
    raw.reset()
    return found


def test_what_comes_with_the_end_of_the_handshake_is_answered_through_tls(ours: Authority) -> None:
    async def story() -> None:
        async with listening(tls=server_context(ours.issue("server"))) as site:
            assert b"MSA|AA|A1\r" in await with_the_handshake(site, ours, message("A1"))
            assert site.inbox.control_ids == ["A1"]

    asyncio.run(story())


def test_a_connection_that_ends_over_what_came_with_the_handshake_ends_in_order(ours: Authority) -> None:
    async def story() -> None:
        settings = replace(MAIN, max_frame_bytes=20)
        async with listening(settings=settings, tls=server_context(ours.issue("server"))) as site:
            assert await with_the_handshake(site, ours, message("A1")) == b""
            assert site.server.counts.oversized == 1

    asyncio.run(story())


def test_a_sender_in_the_clear_is_refused_where_tls_is_spoken(ours: Authority) -> None:
    async def story() -> None:
        async with listening(tls=server_context(ours.issue("server"))) as site:
            sender = await site.send(message("A1"))
            assert b"MSA" not in await sender.closed()
            await until(lambda: site.server.open_connections == 0)
            assert (site.server.counts.tls_failed, site.inbox.calls) == (1, [])

    asyncio.run(story())


def test_with_an_authority_for_clients_only_its_own_are_served(
    ours: Authority, hospital: Authority, stranger: Authority, told: Told
) -> None:
    files = replace(ours.issue("server"), clients_ca=hospital.file)

    async def story() -> None:
        async with listening(tls=server_context(files)) as site:
            await refused(site, None)
            await refused(site, ours.client())
            await refused(site, ours.client(shows=stranger.issue("engine")))
            await refused(site, ours.client(shows=ours.issue("server")))
            assert await one(site, ours.client(shows=hospital.issue("engine"))) == "AA A1"
            await until(lambda: site.server.counts.tls_failed == 4)
            assert site.inbox.control_ids == ["A1"]

    asyncio.run(story())
    assert "main: no TLS" in told.text


def test_nothing_older_than_tls_1_2_is_spoken(ours: Authority) -> None:
    assert server_context(ours.issue("server")).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_probe_of_a_tls_port_is_silent_and_no_failure(ours: Authority, told: Told) -> None:
    async def story() -> None:
        async with listening(tls=server_context(ours.issue("server"))) as site:
            (await site.connect()).writer.close()
            (await site.connect()).reset()
            await until(lambda: site.server.counts.connections == 2)
            await until(lambda: site.server.open_connections == 0)
            assert site.server.counts.tls_failed == 0

    asyncio.run(story())
    assert told.text == ""


def test_a_half_made_handshake_does_not_hold_up_stopping(ours: Authority) -> None:
    async def story() -> None:
        async with listening(tls=server_context(ours.issue("server"))) as site:
            silent = await site.connect()
            await until(lambda: site.server.open_connections == 1)
            await site.server.stop()
            assert await silent.closed() == b""

    asyncio.run(story())


def test_a_renewed_certificate_is_for_new_connections_and_the_old_ones_go_on(ours: Authority) -> None:
    def serial(sender: Sender) -> str:
        return str(sender.writer.get_extra_info("peercert")["serialNumber"])

    async def story() -> None:
        async with listening(tls=server_context(ours.issue("server"))) as site:
            before = await site.send(message("A1"), tls=ours.client())
            assert await before.msa() == "AA A1"
            site.server.change(MAIN, server_context(ours.issue("server")))
            after = await site.send(message("A2"), tls=ours.client())
            before.writer.write(frame(message("A3")))
            assert [await after.msa(), await before.msa()] == ["AA A2", "AA A3"]
            assert serial(before) != serial(after)

    asyncio.run(story())


def mistake(files: TlsFiles) -> str:
    with pytest.raises(BadCertificate) as caught:
        server_context(files)
    return str(caught.value)


def test_bad_files_are_named_with_what_is_wrong(ours: Authority, tmp_path: Path) -> None:
    good, other = ours.issue("server"), ours.issue("other")
    absent, junk = tmp_path / "absent.pem", tmp_path / "junk.pem"
    junk.write_text("-----BEGIN NOTHING-----\n")
    locked = ours.issue("locked", passphrase=b"made-up")
    assert mistake(replace(good, certificate=absent)).startswith(f"certificate: {absent} cannot be read (No")
    assert mistake(replace(good, key=absent)).startswith(f"key: {absent} cannot be read")
    assert mistake(replace(good, clients_ca=tmp_path)).startswith(f"clients_ca: {tmp_path} cannot be read")
    assert mistake(replace(good, key=other.key)) == "key: is not the key of the certificate"
    assert mistake(locked) == "key: is locked with a passphrase; give one without"
    assert mistake(replace(good, certificate=junk)).startswith("certificate: it and the key must be PEM")
    assert mistake(replace(good, key=junk)).startswith("certificate: it and the key must be PEM")
    assert mistake(replace(good, clients_ca=junk)) == "clients_ca: holds no certificate in PEM form"


def test_a_change_of_any_file_is_seen(ours: Authority, hospital: Authority) -> None:
    files = replace(ours.issue("seen"), clients_ca=hospital.file)
    before = file_stamps(files)
    assert file_stamps(files) == before
    ours.issue("seen")
    after = file_stamps(files)
    assert [old != new for old, new in zip(before, after, strict=True)] == [True, True, False]
    files.key.unlink()
    assert file_stamps(files)[1] == ()
