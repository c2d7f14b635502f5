"""Several feeds listened to at once, and what happens to their senders when the feeds change."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from errno import ECONNREFUSED
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from hl7_listener.framing import frame
from integration.entrypoints.channel import Channel, channels, told
from integration.entrypoints.listener_metrics import NAMES
from integration.entrypoints.listening import Listening
from integration.entrypoints.troubles import Refused
from integration.settings.environment import read_environment
from integration.settings.model import Mllp
from tests import settings
from tests.listener.certificates import Authority
from tests.listener.fakes import Sender, message
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Sequence

    from integration.settings.environment import Environment
    from tests.stores import StorePlace

MAIN, LAB = Channel("main", 0), Channel("lab", 0)


@pytest.fixture
def environment(sqlite_place: StorePlace) -> Environment:
    return read_environment(
        {
            "APPOINTMENT_TEXTS_DATABASE_URL": sqlite_place.url,
            "APPOINTMENT_TEXTS_DATA": str(sqlite_place.data_directory),
            "APPOINTMENT_TEXTS_DATA_KEY": TEST_DATA_KEY,
        }
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@dataclass
class Site:
    """What listens, and whoever connects to it."""

    listening: Listening
    senders: list[Sender] = field(default_factory=list)

    async def change(self, *wanted: Channel) -> None:
        await self.listening.change(wanted)

    def port(self, place: int = 0) -> int:
        return int(self.listening.addresses[place].rpartition(":")[2])

    async def connect(self, port: int, tls: ssl.SSLContext | None = None) -> Sender:
        sender = Sender(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))
        self.senders.append(sender)
        return sender


@asynccontextmanager
async def running(environment: Environment, *wanted: Channel) -> AsyncIterator[Site]:
    listening = Listening(environment, "real", wanted, lambda _: None)
    begun: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(listening.run(begun.set_result))
    task.add_done_callback(lambda _: begun.cancel())
    with suppress(asyncio.CancelledError):
        await begun
    try:
        if not task.done():
            site = Site(listening)
            yield site
            for each in site.senders:
                each.writer.close()
    finally:
        listening.stopping.set()
        await task


async def ask(sender: Sender, control_id: str) -> str:
    sender.writer.write(frame(message(control_id)))
    return await sender.msa()


def refuses(port: int) -> bool:
    with socket.socket() as sender:
        return sender.connect_ex(("127.0.0.1", port)) == ECONNREFUSED


def kept(place: StorePlace) -> list[tuple[str, str]]:
    store = place.open()
    with store.unit() as unit:
        found = sorted((each.channel, each.control_id) for each in unit.inbox.listing())
    store.close()
    return found


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_each_feed_has_its_port(environment: Environment, sqlite_place: StorePlace) -> None:
    async def story() -> None:
        async with running(environment, MAIN, LAB) as site:
            one, two = await site.connect(site.port()), await site.connect(site.port(1))
            assert [await ask(one, "A1"), await ask(two, "A1")] == ["AA A1", "AA A1"]
            figures = site.listening.figures
            assert {feed: (of["accepted"], of["open_connections"]) for feed, of in figures.items()} == {
                "main": (1, 1),
                "lab": (1, 1),
            }
            assert all(set(of) == NAMES for of in figures.values())

    asyncio.run(story())
    assert kept(sqlite_place) == [("lab", "A1"), ("main", "A1")]


def test_a_feed_that_comes_or_goes_leaves_the_others_connections_alone(environment: Environment) -> None:
    async def story() -> None:
        async with running(environment, MAIN) as site:
            steady = await site.connect(site.port())
            await site.change(MAIN, LAB)
            passing = await site.connect(site.port(1))
            port = site.port(1)
            assert [await ask(steady, "A1"), await ask(passing, "A1")] == ["AA A1", "AA A1"]
            await site.change(MAIN)
            assert await passing.closed() == b""
            assert refuses(port)
            assert await ask(steady, "A2") == "AA A2"
            assert len(site.listening.addresses) == 1

    asyncio.run(story())


def test_a_feed_with_another_port_listens_there_and_its_old_port_drains(environment: Environment) -> None:
    async def story() -> None:
        first, second = free_ports(2)
        async with running(environment, MAIN._replace(port=first)) as site:
            before = await site.connect(first)
            assert await ask(before, "A1") == "AA A1"
            await site.change(MAIN._replace(port=second))
            assert await before.closed() == b""
            assert refuses(first)
            after = await site.connect(second)
            assert await ask(after, "A2") == "AA A2"

    asyncio.run(story())


@pytest.mark.parametrize("renamed", [False, True])
def test_ports_pass_from_one_feed_to_another(
    environment: Environment, sqlite_place: StorePlace, *, renamed: bool
) -> None:
    """Two feeds that swap their ports; or a feed that has a new name."""

    async def story() -> None:
        first, second = free_ports(2)
        before = [MAIN._replace(port=first), LAB._replace(port=second)]
        after = [LAB._replace(port=first), MAIN._replace(port=second)]
        if renamed:
            before, after = before[:1], [LAB._replace(port=first)]
        async with running(environment, *before) as site:
            old = await site.connect(first)
            assert await ask(old, "A1") == "AA A1"
            await site.change(*after)
            assert await old.closed() == b""
            new = await site.connect(first)
            assert await ask(new, "A2") == "AA A2"

    asyncio.run(story())
    assert kept(sqlite_place) == [("lab", "A2"), ("main", "A1")]


def test_changed_modes_and_limits_hold_for_connections_that_are_open(environment: Environment) -> None:
    async def story() -> None:
        async with running(environment, MAIN) as site:
            sender = await site.connect(site.port())
            sender.writer.write(frame(message("A1", msh_15="AL")))
            assert await sender.msa() == "CA A1"
            await site.change(MAIN._replace(acknowledge="always_aa", max_message_bytes=2000))
            sender.writer.write(frame(message("A2", msh_15="AL")))
            assert await sender.msa() == "AA A2"
            await site.change(MAIN._replace(allow=("10.1.0.0/16",)))
            assert await sender.closed() == b""

    asyncio.run(story())


def a_taken_port() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_a_port_that_cannot_be_had_refuses_the_whole_change(environment: Environment) -> None:
    async def story() -> None:
        with a_taken_port() as taken:
            port = taken.getsockname()[1]
            [free] = free_ports(1)
            async with running(environment, MAIN, LAB) as site:
                steady, lab = await site.connect(site.port()), await site.connect(site.port(1))
                before = site.listening.addresses
                wanted = [MAIN._replace(port=free), Channel("third", 0), Channel("fourth", port)]
                with pytest.raises(Refused, match=f"feed fourth: 127.0.0.1:{port} cannot be listened on"):
                    await site.change(*wanted)
                assert site.listening.addresses == before
                assert [await ask(steady, "A1"), await ask(lab, "A1")] == ["AA A1", "AA A1"]
                assert refuses(free)

    asyncio.run(story())


def test_two_feeds_cannot_have_one_port(environment: Environment) -> None:
    async def story() -> None:
        [port] = free_ports(1)
        async with running(environment, MAIN._replace(port=port)) as site:
            for wanted in (
                [MAIN._replace(port=port), LAB._replace(port=port)],
                [LAB._replace(port=port), MAIN._replace(port=port)],
            ):
                with pytest.raises(Refused, match="cannot be listened on"):
                    await site.change(*wanted)
            sender = await site.connect(port)
            assert await ask(sender, "A1") == "AA A1"

    asyncio.run(story())


def test_a_taken_port_at_the_start_is_said_with_its_remedy(environment: Environment) -> None:
    async def story() -> None:
        with a_taken_port() as taken, pytest.raises(Refused, match="set APPOINTMENT_TEXTS_MLLP_PORT, or"):
            async with running(environment, MAIN._replace(port=taken.getsockname()[1])):
                pass

    asyncio.run(story())


def secured(authority: Authority, *, clients: Authority | None = None, name: str = "server") -> Channel:
    files = authority.issue(name)
    return MAIN._replace(
        certificate=str(files.certificate),
        key=str(files.key),
        clients_ca=None if clients is None else str(clients.file),
    )


def test_where_tls_begins_connections_in_the_clear_end(environment: Environment, ours: Authority) -> None:
    async def story() -> None:
        async with running(environment, MAIN) as site:
            clear = await site.connect(site.port())
            assert await ask(clear, "A1") == "AA A1"
            await site.change(secured(ours))
            assert await clear.closed() == b""
            sender = await site.connect(site.port(), ours.client())
            assert await ask(sender, "A2") == "AA A2"
            await site.change(secured(ours, clients=ours))
            assert await sender.closed() == b""
            known = await site.connect(site.port(), ours.client(ours.issue("engine")))
            assert await ask(known, "A3") == "AA A3"
            await site.change(secured(ours, clients=ours))
            assert await ask(known, "A4") == "AA A4"

    asyncio.run(story())


def test_a_certificate_that_cannot_be_used_refuses_the_whole_change(
    environment: Environment, ours: Authority, tmp_path: Path
) -> None:
    async def story() -> None:
        good = secured(ours)
        bad = good._replace(key=str(ours.issue("other").key))
        absent = good._replace(certificate=str(tmp_path / "absent.pem"))
        async with running(environment, MAIN) as site:
            steady = await site.connect(site.port())
            for wanted, said in (
                (bad, "feed main: mllp.key: is not the key of the certificate"),
                (absent, "feed main: mllp.certificate: .*absent.pem cannot be read"),
            ):
                with pytest.raises(Refused, match=said):
                    await site.change(wanted)
            assert await ask(steady, "A1") == "AA A1"

    asyncio.run(story())


def test_a_renewed_certificate_is_taken_from_its_files_and_a_broken_one_is_not(
    environment: Environment, ours: Authority
) -> None:
    def serial(sender: Sender) -> str:
        return str(sender.writer.get_extra_info("peercert")["serialNumber"])

    def spoil() -> None:
        (ours.folder / "renewed.key").write_text("-----BEGIN NOTHING-----\n")

    async def story() -> None:
        channel = secured(ours, name="renewed")
        async with running(environment, channel) as site:
            port = site.port()
            before = await site.connect(port, ours.client())
            with capture_logs() as log:
                await site.listening.renew()
            assert log == []
            spoil()
            with capture_logs() as log:
                for _ in range(3):
                    await site.listening.renew()
            [line] = log
            assert (line["event"], line["feed"]) == ("certificate not renewed", "main")
            same = await site.connect(port, ours.client())
            assert serial(same) == serial(before)
            ours.issue("renewed")
            await site.listening.renew()
            after = await site.connect(port, ours.client())
            assert serial(after) != serial(before)
            assert [await ask(sender, "A1") for sender in (before, same, after)] == ["AA A1"] * 3

    asyncio.run(story())


def test_a_change_before_it_runs_is_what_it_begins_with(environment: Environment) -> None:
    async def story() -> None:
        listening = Listening(environment, "real", [MAIN], lambda _: None)
        await listening.change([MAIN, LAB])
        begun: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(listening.run(begun.set_result))
        assert len(await begun) == 2
        listening.stopping.set()
        await task

    asyncio.run(story())


def test_a_feed_s_settings_reach_the_listener_through_json() -> None:
    mllp = Mllp(
        allow=("10.1.0.0/16", "2001:db8::7/128"),
        certificate=Path("server.pem"),
        key=Path("server.key"),
        clients_ca=Path("hospital.pem"),
        commit_bytes=True,
        batch_answer="batch",
        sequence=True,
        frame_limit=timedelta(minutes=5),
        idle_limit=timedelta(hours=12),
        max_connections=7,
        max_unfinished_bytes=20_000_000,
    )
    feeds = [settings.feed(mllp=mllp, acknowledge="always_aa"), settings.feed(name="lab", port=2600)]
    wanted: Sequence[Channel] = channels(feeds, 2575)
    main, lab = told(json.loads(json.dumps(wanted)))
    assert [main, lab] == wanted
    found = main.settings("127.0.0.1")
    assert (found.channel, found.port, found.host) == ("main", 2575, "127.0.0.1")
    assert [str(network) for network in found.allow] == ["10.1.0.0/16", "2001:db8::7/128"]
    assert (found.acknowledge, found.commit_bytes, found.batch_answer) == ("always_aa", True, "batch")
    assert (found.sequence, found.frame_limit, found.idle_limit) == (True, 300, 43_200)
    assert (found.max_connections, found.max_unfinished_bytes) == (7, 20_000_000)
    assert found.max_frame_bytes == 1_048_576
    assert main.tls is not None
    assert main.tls == replace(main.tls, clients_ca=Path("hospital.pem"))
    assert (lab.port, lab.tls) == (2600, None)


async def _asked_beforehand(environment: Environment) -> None:
    async with running(environment, MAIN) as site:
        before = site.listening.addresses
        sender = await site.connect(site.port())
        with socket.create_server(("127.0.0.1", 0)) as taken:
            busy = taken.getsockname()[1]
            with pytest.raises(Refused, match=f"feed lab: 127.0.0.1:{busy} cannot be listened on"):
                await site.listening.check([MAIN, LAB._replace(port=busy)])
        await site.listening.check([MAIN, LAB._replace(port=busy)])
        with pytest.raises(Refused, match="feed main: mllp"):
            await site.listening.check([MAIN._replace(certificate="/nowhere.pem", key="/nowhere.key")])
        assert site.listening.addresses == before
        assert refuses(busy)
        assert await ask(sender, "AFTER") == "AA AFTER"


def test_what_a_change_would_be_refused_for_is_known_beforehand_and_nothing_changes(
    environment: Environment,
) -> None:
    asyncio.run(_asked_beforehand(environment))
