"""Stories of a listener on a real socket: kept, then answered, in order, whatever happens."""

import asyncio
import hashlib
import socket
from dataclasses import replace

import pytest

from hl7_listener.framing import frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import ListenerSettings, MllpServer
from tests.listener.conftest import Told
from tests.listener.fakes import NOON, PATIENCE, MemoryInbox, Sender, Site, listening, message, until

MAIN = ListenerSettings("main", port=0)
MEBIBYTE = 1024 * 1024


def test_a_message_is_kept_exactly_as_it_came_and_then_acknowledged() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(message("A1"))
            msh, msa = await sender.answer()
            assert msh[:6] == ["MSH", "^~\\&", "TEXTS", "SOUTH", "SCHED", "NORTH"]
            assert msh[6:] == ["20270301120005+0000", "", "ACK^S12^ACK", "OURS1", "P", "2.5.1"]
            assert msa == ["MSA", "AA", "A1"]
            [kept] = site.inbox.kept
            assert (kept.channel, kept.control_id, kept.payload) == ("main", "A1", message("A1"))
            assert kept.digest == hashlib.sha256(message("A1")).digest()
            assert (kept.received_at, kept.refusal) == (NOON, None)

    asyncio.run(story())


def test_nothing_is_acknowledged_before_it_is_kept() -> None:
    async def story() -> None:
        async with listening() as site:
            site.inbox.open.clear()
            sender = await site.send(message("A1"))
            await until(lambda: bool(site.inbox.calls))
            for _ in range(50):  # turns of the event loop: an answer on its way would have come
                await asyncio.sleep(0)
            assert not sender.reader._buffer  # type: ignore[attr-defined]
            site.inbox.open.set()
            assert await sender.msa() == "AA A1"

    asyncio.run(story())


def test_many_messages_on_one_connection_are_answered_in_their_order() -> None:
    names = [f"M{number}" for number in range(200)]

    async def story() -> None:
        async with listening(commit=None) as site:
            sender = await site.send(*map(message, names))
            assert [await sender.msa() for _ in names] == [f"AA {name}" for name in names]
            assert site.inbox.control_ids == names
            assert site.server.counts.accepted == 200

    asyncio.run(story())


def test_messages_one_byte_at_a_time_with_noise_between_them() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.connect()
            for byte in b"\r\nxyz" + frame(message("A1")) + b"\n\0" + frame(message("A2")):
                sender.writer.write(bytes([byte]))
                await sender.writer.drain()
            assert [await sender.msa(), await sender.msa()] == ["AA A1", "AA A2"]
            assert site.server.counts.noise_bytes == 3

    asyncio.run(story())


def test_many_senders_share_commits_and_each_gets_its_own_answers() -> None:
    async def one(site: Site, name: int) -> list[str]:
        sender = await site.connect()
        answers = []
        for turn in range(5):
            sender.writer.write(frame(message(f"S{name}-{turn}")))
            answers.append(await sender.msa())
        return answers

    async def story() -> None:
        async with listening() as site:
            answers = await asyncio.gather(*(one(site, name) for name in range(40)))
            assert answers == [[f"AA S{name}-{turn}" for turn in range(5)] for name in range(40)]
            assert len(site.inbox.calls) < 200
            assert len(site.inbox.kept) == 200

    asyncio.run(story())


def test_a_repeat_is_acknowledged_again_and_kept_once_but_other_bytes_are_another_message() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(message("A1"), message("A1"), message("A1", "NTE|1\r"))
            assert [await sender.msa() for _ in range(3)] == ["AA A1"] * 3
            assert [kept.payload for kept in site.inbox.kept] == [message("A1"), message("A1", "NTE|1\r")]
            assert site.server.counts.duplicates == 1

    asyncio.run(story())


def test_enhanced_mode_gets_ca_and_a_site_that_takes_only_aa_gets_aa() -> None:
    async def story(settings: ListenerSettings) -> str:
        async with listening(settings=settings) as site:
            return await (await site.send(message("A1", msh_15="AL", msh_16="NE"))).msa()

    assert asyncio.run(story(MAIN)) == "CA A1"
    assert asyncio.run(story(replace(MAIN, acknowledge="always_aa"))) == "AA A1"


def test_a_message_that_wants_no_answer_is_kept_and_the_next_one_is_answered() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(message("A1", msh_15="NE", msh_16="NE"), message("A2"))
            assert await sender.msa() == "AA A2"
            assert site.inbox.control_ids == ["A1", "A2"]

    asyncio.run(story())


def test_a_batch_in_one_frame_gets_one_answer_for_each_message_each_in_its_own_frame() -> None:
    async def story() -> None:
        async with listening() as site:
            batch = b"FHS|^~\\&\rBHS|^~\\&\r" + b"".join(map(message, ["A1", "A2", "A3"])) + b"BTS|3\rFTS|1\r"
            sender = await site.send(batch)
            assert [await sender.msa() for _ in range(3)] == ["AA A1", "AA A2", "AA A3"]
            assert [kept.payload for kept in site.inbox.kept] == [
                message(name) for name in ("A1", "A2", "A3")
            ]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("payload", "msa", "refusal"),
    [
        (b"hello", "AR ", "unreadable-header MSH"),
        (b"", "AR ", "unreadable-header MSH"),
        (b"MSH||S|F|R|G|2027||SIU^S12|A9|P|2.5\r", "AR A9", "unreadable-header MSH-2"),
        (b"MSH|^~\\&|S|F|R|G|2027|||A9|P|2.5|||AL\r", "CR A9", "unreadable-header MSH-9"),
    ],
)
def test_an_unreadable_message_is_refused_but_kept_for_the_operator_to_find(
    payload: bytes, msa: str, refusal: str
) -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(payload, message("A2"))
            assert [await sender.msa(), await sender.msa()] == [msa, "AA A2"]
            kept = site.inbox.kept[0]
            assert (kept.payload, kept.refusal) == (payload, refusal)
            assert kept.control_id == msa[3:]
            assert (site.server.counts.unreadable, site.server.counts.accepted) == (1, 1)

    asyncio.run(story())


@pytest.mark.parametrize("event", ["SIU^S99^SIU_S12", "ZZZ^Z01", "ORU^R01^ORU_R01"])
def test_what_the_listener_does_not_know_is_kept_and_accepted_all_the_same(event: str) -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(
                message("A1").replace(b"SIU^S12^SIU_S12", event.encode()) + b"ZZ\0Z|\0\r"
            )
            assert await sender.msa() == "AA A1"
            assert site.inbox.kept[0].payload.endswith(b"ZZ\0Z|\0\r")

    asyncio.run(story())


def test_a_poison_message_is_told_to_try_later_and_its_neighbours_are_kept() -> None:
    async def story() -> None:
        async with listening(MemoryInbox(poison=frozenset({"A2"}))) as site:
            sender = await site.send(message("A1"), message("A2"), message("A3"))
            assert [await sender.msa() for _ in range(3)] == ["AA A1", "AR A2", "AA A3"]
            assert site.inbox.control_ids == ["A1", "A3"]
            assert site.server.counts.not_stored == 1

    asyncio.run(story())


def test_while_the_store_is_down_nobody_is_told_otherwise_and_a_resend_succeeds() -> None:
    async def story() -> None:
        async with listening(MemoryInbox(down=True)) as site:
            sender = await site.send(message("A1"), message("A2", msh_15="AL"), b"hello")
            assert [await sender.msa() for _ in range(3)] == ["AR A1", "CE A2", "AR "]
            site.inbox.down = False
            sender.writer.write(frame(message("A1")))
            assert await sender.msa() == "AA A1"

    asyncio.run(story())


def test_an_oversized_frame_closes_its_connection_unanswered_after_the_answers_before_it(
    told: Told,
) -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, max_frame_bytes=1000)) as site:
            other = await site.connect()
            site.inbox.open.clear()
            sender = await site.send(message("A1"), message("A2", "NTE|" + "x" * 1000), message("A3"))
            await until(lambda: bool(site.inbox.calls))
            site.inbox.open.set()
            assert await sender.msa() == "AA A1"
            assert await sender.closed() == b""
            assert site.inbox.control_ids == ["A1"]
            assert site.server.counts.oversized == 1
            other.writer.write(frame(message("B1")))
            assert await other.msa() == "AA B1"

    asyncio.run(story())
    assert "frame larger than 1000 bytes" in told.text


def test_an_endless_frame_is_cut_off_at_the_limit() -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, max_frame_bytes=MEBIBYTE)) as site:
            sender = await site.connect()
            sender.writer.write(b"\x0b" + b"x" * (2 * MEBIBYTE))
            assert await sender.closed() == b""
            assert (site.server.counts.oversized, site.inbox.calls) == (1, [])

    asyncio.run(story())


def test_a_load_balancers_probes_are_silent(told: Told) -> None:
    async def story() -> None:
        async with listening() as site:
            (await site.connect()).writer.close()
            (await site.connect()).reset()
            await until(lambda: site.server.counts.connections == 2)
            await until(lambda: site.server.open_connections == 0)
            assert site.server.counts.incomplete == 0

    asyncio.run(story())
    assert told.text == ""


def test_a_sender_that_sends_all_and_closes_its_half_still_gets_its_answers() -> None:
    async def story() -> None:
        async with listening() as site:
            site.inbox.open.clear()
            sender = await site.send(message("A1"), message("A2"))
            sender.writer.write_eof()
            await until(lambda: bool(site.inbox.calls))
            site.inbox.open.set()
            assert [await sender.msa(), await sender.msa()] == ["AA A1", "AA A2"]
            assert await sender.closed() == b""

    asyncio.run(story())


def test_a_sender_that_vanishes_before_its_answer_has_its_message_kept_and_its_resend_accepted() -> None:
    async def story() -> None:
        async with listening() as site:
            site.inbox.open.clear()
            sender = await site.send(message("A1"))
            await until(lambda: bool(site.inbox.calls))
            sender.reset()
            await until(lambda: site.server.open_connections == 0)
            site.inbox.open.set()
            assert await (await site.send(message("A1"))).msa() == "AA A1"
            assert site.inbox.control_ids == ["A1"]

    asyncio.run(story())


def test_a_frame_cut_short_by_the_end_of_its_connection_is_counted_and_not_kept() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.connect()
            sender.writer.write(b"\x0bMSH|^~\\&|half")
            sender.writer.write_eof()
            assert await sender.closed() == b""
            await until(lambda: site.server.counts.incomplete == 1)
            assert site.inbox.calls == []

    asyncio.run(story())


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"MSH|^~\\&|no start block\x1c\r", "bytes outside any whole frame"),
        (b"\x0bMSH|^~\\&|half", "ended inside a frame"),
        (b"\x0b" + b"x" * 2 * MEBIBYTE, "a frame larger than 1048576 bytes"),
    ],
    ids=["no 0x0B", "no 0x1C", "too large"],
)
def test_what_was_malformed_and_could_not_be_kept_is_told_to_the_operator(
    sent: bytes, said: str, told: Told
) -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, max_frame_bytes=MEBIBYTE)) as site:
            sender = await site.connect()
            sender.writer.write(sent)
            sender.writer.write_eof()
            assert await sender.closed() == b""
            await until(lambda: site.server.open_connections == 0)
            assert site.inbox.calls == []

    asyncio.run(story())
    (line,) = told.messages
    assert said in line
    assert "127.0.0.1" in line


def test_dead_peers_are_looked_for_by_keepalive() -> None:
    async def story() -> None:
        async with listening() as site:
            await site.send(message("A1"))
            await until(lambda: site.server.open_connections == 1)
            [connection] = site.connections
            peer = connection._transport.get_extra_info("socket")
            assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60

    asyncio.run(story())


def test_a_connection_beyond_the_limit_is_closed_and_there_is_room_again_when_one_leaves() -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, max_connections=2)) as site:
            first, second = [await site.send(message("A1")), await site.send(message("A2"))]
            assert [await first.msa(), await second.msa()] == ["AA A1", "AA A2"]
            assert await (await site.connect()).closed() == b""
            assert site.server.counts.connections_refused == 1
            first.writer.close()
            await until(lambda: site.server.open_connections == 1)
            assert await (await site.send(message("A3"))).msa() == "AA A3"

    asyncio.run(story())


async def flood(sender: Sender, payload: bytes, times: int) -> None:
    for _ in range(times):
        sender.writer.write(payload)
        await sender.writer.drain()


def test_while_the_store_is_slow_reading_stops_and_memory_stays_bounded() -> None:
    bound, size, senders, each = 4 * MEBIBYTE, MEBIBYTE // 2, 4, 40

    async def story() -> None:
        inbox = MemoryInbox()
        commit = GroupCommit(inbox, max_waiting_bytes=bound)
        async with listening(inbox, MAIN, commit) as site:
            inbox.open.clear()
            large = frame(message("A1", "NTE|" + "x" * size + "\r"))
            peers = [await site.connect() for _ in range(senders)]
            floods = [asyncio.create_task(flood(peer, large, each)) for peer in peers]
            connections = site.connections
            await until(
                lambda: (
                    len(connections) == senders
                    and all(not connection._transport.is_reading() for connection in connections)
                )
            )
            assert bound <= commit.waiting_bytes <= bound + senders * (size + MEBIBYTE)
            assert not all(task.done() for task in floods)
            inbox.open.set()
            for peer in peers:
                assert [await peer.msa() for _ in range(each)] == ["AA A1"] * each
            await asyncio.gather(*floods)
            assert commit.waiting_bytes == 0

    asyncio.run(story())


def test_a_sender_that_reads_no_answers_is_read_no_further_and_harms_nobody() -> None:
    count = 20_000

    async def story() -> None:
        async with listening() as site:
            loop = asyncio.get_running_loop()
            with socket.socket() as deaf:
                deaf.setblocking(False)
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                await loop.sock_connect(deaf, ("127.0.0.1", site.port))
                await until(lambda: site.server.open_connections == 1)
                [connection] = site.connections
                connection._transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_SNDBUF, 4096
                )
                sending = asyncio.create_task(loop.sock_sendall(deaf, frame(message("A1")) * count))
                await until(lambda: connection._writer_is_slow)
                assert not connection._transport.is_reading()
                other = await site.send(message("B1"))
                assert await other.msa() == "AA B1"
                await site.commit.settled()
                assert site.server.counts.accepted < count
                answered = 0
                while answered < count:
                    answered += (await loop.sock_recv(deaf, MEBIBYTE)).count(b"\x1c")
                await sending
                assert site.server.counts.accepted == count + 1

    asyncio.run(story())


def test_stopping_answers_what_was_received_and_then_closes() -> None:
    async def story() -> None:
        async with listening() as site:
            site.inbox.open.clear()
            busy, idle, half = (
                await site.send(message("A1"), message("A2")),
                await site.connect(),
                await site.connect(),
            )
            half.writer.write(b"\x0bMSH|^~\\&|half")
            await until(lambda: bool(site.inbox.calls) and site.server.open_connections == 3)
            stopping = asyncio.create_task(site.server.stop(PATIENCE))
            assert [await idle.closed(), await half.closed()] == [b"", b""]
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", site.port)
            assert not stopping.done()
            site.inbox.open.set()
            assert [await busy.msa(), await busy.msa()] == ["AA A1", "AA A2"]
            assert await busy.closed() == b""
            await stopping

    asyncio.run(story())


def test_what_lies_in_the_socket_when_stopping_begins_is_still_answered() -> None:
    async def story() -> None:
        async with listening() as site:
            with socket.create_connection(("127.0.0.1", site.port)) as sender:
                await until(lambda: site.server.open_connections == 1)
                sender.sendall(frame(message("A1")))
                await site.server.stop(PATIENCE)
                assert b"MSA|AA|A1\r" in sender.recv(4096)
                assert sender.recv(4096) == b""

    asyncio.run(story())


def test_stopping_takes_no_longer_than_it_may_when_the_store_hangs() -> None:
    async def story() -> None:
        async with listening() as site:
            site.inbox.open.clear()
            sender = await site.send(message("A1"))
            await until(lambda: bool(site.inbox.calls))
            await site.server.stop(within=0.05)
            assert site.server.open_connections == 0
            assert await sender.closed() == b""

    asyncio.run(story())


def test_two_ports_share_one_group_commit_and_keep_their_channels_apart() -> None:
    async def story() -> None:
        inbox = MemoryInbox()
        commit = GroupCommit(inbox)
        async with (
            listening(inbox, MAIN, commit) as one,
            listening(inbox, replace(MAIN, channel="lab"), commit) as two,
        ):
            inbox.open.clear()
            first = await one.send(message("A0"))
            await until(lambda: bool(inbox.calls))
            senders = [await one.send(message("A1")), await two.send(message("A1"))]
            await until(lambda: commit.waiting_bytes > 1500)
            inbox.open.set()
            assert [await sender.msa() for sender in (first, *senders)] == ["AA A0", "AA A1", "AA A1"]
            assert inbox.calls == [["A0"], ["A1", "A1"]]
            assert sorted(kept.channel for kept in inbox.kept) == ["lab", "main", "main"]

    asyncio.run(story())


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    async def story() -> None:
        async with listening() as site:
            settings = replace(MAIN, port=site.port)
            with pytest.raises(OSError, match="in use"):
                await MllpServer(settings, site.commit, lambda: NOON, lambda: "X").start()

    asyncio.run(story())


def test_logs_hold_nothing_of_a_message_but_its_control_id(told: Told) -> None:
    async def story() -> None:
        async with listening(MemoryInbox(poison=frozenset({"A1"}))) as site:
            sender = await site.send(message("A1"), b"Sample^Ana", message("A2"))
            sender.writer.write(b"Sample^Ana")
            assert [await sender.msa() for _ in range(3)] == ["AR A1", "AR ", "AA A2"]

    asyncio.run(story())
    assert "Sample" not in told.text
