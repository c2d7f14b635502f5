"""Messages reach a partner's port in order, and whatever it does about them is said in our words."""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pytest

from hl7_listener.framing import frame
from integration.adapters.ehr.hl7_sender import Line, MllpSender
from integration.ports.hl7 import NotHeard, Taken, TurnedDown
from integration.settings.model import TlsFiles
from integration.testing.hl7 import FakeHl7Sender
from tests.adapters.ehr.authority import Authority
from tests.adapters.ehr.partner import CLOSE, COMMIT, NO_COMMIT, Partner, acknowledgment, pieces
from tests.waiting import LONGEST, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from integration.ports.hl7 import Delivery, Hl7Sender
    from tests.adapters.ehr.partner import Answer

SOON = 0.2  # seconds; for partners who never answer


def message(control_id: str = "OURS1") -> bytes:
    header = f"MSH|^~\\&|TEXTS|RIVER|EHR|HOSP|20270301||ACK^S12^ACK|{control_id}|P|2.5.1|||AL|NE"
    return f"{header}\rMSA|AA|A1\r".encode()


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner() as listening:
        yield listening


def line(partner: Partner, **changes: object) -> Line:
    return replace(Line("127.0.0.1", partner.port, "accept", LONGEST), **changes)  # type: ignore[arg-type]


class Talk(Protocol):
    """Makes a sender to a partner that will answer so; it hangs up at the end of the story."""

    def __call__(self, *answers: Answer, **changes: object) -> MllpSender: ...


@pytest.fixture
def talk(partner: Partner) -> Iterator[Talk]:
    talking: list[MllpSender] = []

    def make(*answers: Answer, **changes: object) -> MllpSender:
        partner.plans = deque(answers)
        talking.append(MllpSender(line(partner, **changes)))
        return talking[-1]

    yield make
    for each in talking:
        each.rest()


# What the fake and the real one have in common.


@dataclass
class World:
    """A sender, how to make its partner answer, and what the partner has."""

    sender: Hl7Sender
    will: Callable[[Delivery], None]
    taken: Callable[[], list[bytes]]


@pytest.fixture(params=["memory", "mllp"])
def world(request: pytest.FixtureRequest, partner: Partner) -> Iterator[World]:
    if request.param == "memory":
        fake = FakeHl7Sender()
        yield World(fake, lambda delivery: fake.will([delivery]), lambda: list(fake.taken.values()))
        return
    answers: dict[Delivery, Answer] = {
        Taken("CA"): acknowledgment("CA"),
        REFUSED: acknowledgment("CR", "ERR|||203^Unsupported version id^HL70357|E"),
        CLOSED: pieces(CLOSE),
    }
    taken: list[bytes] = []

    def will(delivery: Delivery) -> None:
        partner.plans.append(answers[delivery])

    def heard() -> list[bytes]:
        taken[:] = dict.fromkeys(partner.heard)
        return taken

    # A connection that is closed tells no place that could be compared.
    class Sender(MllpSender):
        def send(self, payload: bytes) -> Delivery:
            delivery = super().send(payload)
            return CLOSED if isinstance(delivery, NotHeard) else delivery

    talking = Sender(line(partner))
    yield World(talking, will, heard)
    talking.rest()


REFUSED = TurnedDown("the partner answered CR with error 203 (HL7 table 0357)", again=False)
CLOSED = NotHeard("closed before it answered")


def test_messages_are_taken_in_order(world: World) -> None:
    for control_id in ("OURS1", "OURS2", "OURS3"):
        assert world.sender.send(message(control_id)) == Taken("CA")
    world.sender.rest()
    assert world.taken() == [message("OURS1"), message("OURS2"), message("OURS3")]


@pytest.mark.parametrize("delivery", [REFUSED, CLOSED])
def test_after_a_failure_the_next_message_goes_on(world: World, delivery: Delivery) -> None:
    world.will(delivery)
    assert world.sender.send(message("OURS1")) == delivery
    assert world.sender.send(message("OURS2")) == Taken("CA")
    assert world.taken()[-1] == message("OURS2")


def test_the_same_bytes_again_are_one_message_to_the_partner(world: World) -> None:
    world.will(CLOSED)
    assert world.sender.send(message()) == CLOSED
    assert world.sender.send(message()) == Taken("CA")
    assert world.sender.send(message()) == Taken("CA")
    assert world.taken() == [message()]


# The real one alone.


@pytest.mark.parametrize(
    ("answer", "delivery"),
    [
        (acknowledgment("CA"), Taken("CA")),
        (acknowledgment("AA"), Taken("AA")),
        (acknowledgment("CE"), TurnedDown("the partner answered CE", again=True)),
        (acknowledgment("AR"), TurnedDown("the partner answered AR", again=True)),
        (acknowledgment("AE"), TurnedDown("the partner answered AE", again=False)),
        (
            acknowledgment("CR", "ERR|MSH^1^12^203&Unsupported version id&HL70357"),
            TurnedDown("the partner answered CR with error 203 (HL7 table 0357)", again=False),
        ),
        (
            acknowledgment("Ana Sample"),
            TurnedDown("the partner answered with a code that is not in HL7 table 0008", again=False),
        ),
    ],
)
def test_what_the_partner_answers(talk: Talk, answer: Answer, delivery: Delivery) -> None:
    assert talk(answer).send(message()) == delivery


def test_an_answer_in_single_bytes_beside_a_commit_and_others_of_its_words_is_found(talk: Talk) -> None:
    (answer,) = acknowledgment("CA")("OURS1")
    earlier = acknowledgment("CE")("OURS0")[0]
    said = COMMIT + b"\r\n" + earlier + answer
    assert talk(pieces(*(bytes([byte]) for byte in said))).send(message()) == Taken("CA")


@pytest.mark.parametrize(
    ("said", "delivery"),
    [
        (COMMIT, Taken("commit")),
        (acknowledgment("CA")("OURS1")[0] + COMMIT, Taken("commit")),
        (NO_COMMIT, TurnedDown("the partner answered a negative commit", again=True)),
    ],
)
def test_a_commit_of_mllp_release_2_is_an_answer_where_the_feed_says_so(
    talk: Talk, said: bytes, delivery: Delivery
) -> None:
    assert talk(pieces(said), answer="commit").send(message()) == delivery


def test_where_nothing_is_answered_nothing_is_waited_for_and_nothing_is_lost(
    partner: Partner, talk: Talk
) -> None:
    talking = talk(*[pieces(b"HTTP/1.1 200 OK\r\n")] * 2, answer="none")
    assert talking.send(message("OURS1")) == Taken("")
    assert talking.send(message("OURS2")) == Taken("")
    talking.rest()
    until("both have come", lambda: len(partner.heard) == 2)


def test_one_connection_serves_until_there_is_nothing_more_to_send(partner: Partner, talk: Talk) -> None:
    talking = talk()
    for number in range(5):
        assert talking.send(message(f"OURS{number}")) == Taken("CA")
    assert partner.connections == 1
    talking.rest()
    until("it has hung up", lambda: partner.ended == 1)
    assert talking.send(message("OURS6")) == Taken("CA")
    assert partner.connections == 2
    talking.rest()


def test_a_partner_that_takes_one_message_a_connection_gets_one_a_connection(
    partner: Partner, talk: Talk
) -> None:
    def once(control_id: str) -> list[bytes]:
        return [*acknowledgment("CA")(control_id), CLOSE]

    talking = talk(*[once] * 3)
    for number in range(3):
        assert talking.send(message(f"OURS{number}")) == Taken("CA")
    assert partner.heard == [message(f"OURS{number}") for number in range(3)]


def reason(delivery: Delivery) -> str:
    assert isinstance(delivery, NotHeard)
    return delivery.reason


def test_a_partner_that_closes_before_it_answers_may_have_it_or_not(talk: Talk) -> None:
    delivery = talk(pieces(CLOSE), pieces(CLOSE)).send(message())
    assert reason(delivery).endswith("closed the connection before it answered")


def test_a_silent_partner_is_waited_for_no_longer_than_agreed(partner: Partner, talk: Talk) -> None:
    delivery = talk(pieces(), timeout=SOON).send(message())
    assert reason(delivery) == f"no answer from 127.0.0.1:{partner.port} within 0.2 s"


def test_an_answer_that_trickles_in_for_ever_is_given_up_too(talk: Talk) -> None:
    def trickle(_: str) -> list[bytes]:
        return [frame(b"\x0b").rstrip(b"\x1c\r"), *[b"x"] * 100_000]

    assert "within 0.2 s" in reason(talk(trickle, timeout=SOON).send(message()))


def test_an_endless_answer_is_not_read_to_its_end(talk: Talk) -> None:
    delivery = talk(pieces(b"\x0b" + b"Ana Sample " * 200_000)).send(message())
    assert reason(delivery).endswith("is no acknowledgment: it does not end")


@pytest.mark.parametrize("said", [b"Ana Sample", b"MSH|^~\\&|EHR\rPID|1||70021||Sample^Ana\r"])
def test_what_is_no_acknowledgment_is_said_to_be_none_and_not_quoted(
    partner: Partner, talk: Talk, said: bytes
) -> None:
    delivery = talk(pieces(frame(said))).send(message())
    assert reason(delivery) == f"what 127.0.0.1:{partner.port} answered is no acknowledgment"


def test_a_late_answer_to_an_earlier_message_is_not_taken_for_this_ones(talk: Talk) -> None:
    def late(control_id: str) -> list[bytes]:
        return [*acknowledgment("CR")("OURS1"), *acknowledgment("CA")(control_id)]

    assert "within 0.2 s" in reason(talk(pieces(), timeout=SOON).send(message("OURS1")))
    assert talk(late).send(message("OURS2")) == Taken("CA")


def test_nobody_listening_is_said_with_the_place() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    delivery = MllpSender(Line("127.0.0.1", port, "accept", LONGEST)).send(message())
    assert reason(delivery) == f"no connection to 127.0.0.1:{port} (Connection refused)"


# TLS.


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def over_tls(
    partner: Partner, ca: Path | None, certificate: Path | None = None, key: Path | None = None
) -> Delivery:
    talking = MllpSender(line(partner, tls=TlsFiles(ca=ca, certificate=certificate, key=key)))
    delivery = talking.send(message("OURS1"))
    if isinstance(delivery, Taken):
        assert talking.send(message("OURS2")) == delivery
    talking.rest()
    return delivery


def test_over_tls_with_certificates_on_both_sides(authority: Authority) -> None:
    ours = authority.vouch("ours")
    with Partner(authority.server(authority.vouch("partner"), clients=True)) as partner:
        assert over_tls(partner, authority.file, ours.certificate, ours.key) == Taken("CA")
        assert partner.heard == [message("OURS1"), message("OURS2")]
        assert partner.connections == 1


def test_a_partner_whom_nobody_vouches_for_hears_nothing(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    with Partner(stranger.server(stranger.vouch("partner"))) as partner:
        assert "cannot be trusted" in reason(over_tls(partner, authority.file))
        assert "cannot be trusted" in reason(over_tls(partner, None))
        assert partner.heard == []


def test_a_partner_that_wants_our_certificate_and_gets_none_does_not_answer(authority: Authority) -> None:
    with Partner(authority.server(authority.vouch("partner"), clients=True)) as partner:
        assert isinstance(over_tls(partner, authority.file), NotHeard)
        assert partner.heard == []


def test_a_partner_without_tls_is_told_nothing(authority: Authority, partner: Partner) -> None:
    partner.plans.append(pieces(frame(b"hello")))
    talking = MllpSender(line(partner, timeout=SOON, tls=TlsFiles(authority.file, None, None)))
    assert reason(talking.send(message())).startswith("no TLS with 127.0.0.1:")
    assert not any(b"OURS1" in heard for heard in partner.heard)


def test_files_that_cannot_be_used_are_said_to_be_so(
    authority: Authority, partner: Partner, tmp_path: Path
) -> None:
    ours, locked = authority.vouch("ours"), authority.vouch("locked", b"secret")
    gone = tmp_path / "gone.pem"
    assert "locked with a passphrase" in reason(over_tls(partner, None, locked.certificate, locked.key))
    assert "the key that of the certificate" in reason(
        over_tls(partner, None, ours.certificate, authority.vouch("other").key)
    )
    assert "a file cannot be read" in reason(over_tls(partner, None, gone, ours.key))
    assert partner.connections == 0
