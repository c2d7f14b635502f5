"""Frames come out of the stream whole and in order, however it was chopped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_listener.framing import FrameSplitter, FrameTooLarge, frame

payloads = st.lists(
    st.binary(max_size=60).map(lambda data: data.replace(b"\x0b", b"").replace(b"\x1c", b"")), max_size=6
)
noises = st.binary(max_size=12).map(lambda data: data.replace(b"\x0b", b""))


def frames_of(*chunks: bytes, limit: int = 1000) -> list[bytes]:
    splitter = FrameSplitter(limit)
    return [payload for chunk in chunks for payload in splitter.feed(chunk)]


def chopped(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(stream) + 1) for cut in cuts})
    return [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]


@given(payloads, st.data())
def test_any_chunking_of_any_frames_with_any_noise_between_gives_the_same_payloads(
    sent: list[bytes], data: st.DataObject
) -> None:
    stream = data.draw(noises)
    for payload in sent:
        closing = data.draw(st.sampled_from([b"\x1c\r", b"\x1c"]))
        stream += b"\x0b" + payload + closing + data.draw(noises)
    cuts = data.draw(st.lists(st.integers(min_value=0, max_value=2000), max_size=20))
    assert frames_of(*chopped(stream, cuts)) == sent


@given(st.binary(max_size=300), st.lists(st.integers(min_value=0, max_value=300), max_size=20))
def test_any_bytes_at_all_give_the_same_frames_however_they_are_chopped(
    stream: bytes, cuts: list[int]
) -> None:
    assert frames_of(*chopped(stream, cuts)) == frames_of(stream)


def test_one_byte_at_a_time() -> None:
    stream = frame(b"MSH|1") + b"\n" + frame(b"MSH|2")
    assert frames_of(*[bytes([byte]) for byte in stream]) == [b"MSH|1", b"MSH|2"]


@pytest.mark.parametrize(
    "between",
    [b"", b"\n", b"\r\n", b"\0", b"garbage", b"\r\n\r\n\0\0 ", b"\x1c\r", b"GET / HTTP/1.1\r\n\r\n"],
)
def test_noise_between_frames_is_passed_over(between: bytes) -> None:
    stream = between + frame(b"MSH|1") + between + frame(b"MSH|2") + between
    assert frames_of(stream) == [b"MSH|1", b"MSH|2"]


def test_a_frame_whose_final_carriage_return_is_missing_ends_at_once() -> None:
    splitter = FrameSplitter()
    assert list(splitter.feed(b"\x0bMSH|1\x1c")) == [b"MSH|1"]
    assert list(splitter.feed(b"\x0bMSH|2\x1c")) == [b"MSH|2"]


def test_line_ends_nul_and_blanks_are_no_noise_worth_counting_but_other_bytes_are() -> None:
    splitter = FrameSplitter()
    list(splitter.feed(frame(b"MSH|1") + b"\r\n\0 " + frame(b"MSH|2") + b"\nhello"))
    assert splitter.noise_bytes == len("hello")


def test_a_frame_that_its_sender_broke_off_and_began_again_leaves_only_the_whole_one() -> None:
    splitter = FrameSplitter()
    assert list(splitter.feed(b"\x0bMSH|1\rPID|hal\x0bMSH|1\rPID|whole\x1c\r")) == [b"MSH|1\rPID|whole"]
    assert splitter.broken_off == 1


@pytest.mark.parametrize("batch", [b"FHS|1\rMSH|1", b"BHS|1\rMSH|1"])
def test_a_batch_too_begins_anew(batch: bytes) -> None:
    assert frames_of(b"\x0bMSH|hal" + frame(batch)) == [batch]


def test_a_vertical_tab_within_a_text_stays() -> None:
    assert frames_of(frame(b"MSH|1\rNTE|one\x0btwo")) == [b"MSH|1\rNTE|one\x0btwo"]


def test_nul_bytes_within_a_frame_stay() -> None:
    assert frames_of(frame(b"MSH|\0|1")) == [b"MSH|\0|1"]


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_a_frame_at_the_limit_passes_and_one_byte_more_does_not(chunk: int) -> None:
    def chunks(payload: bytes) -> list[bytes]:
        stream = frame(payload)
        return [stream[start : start + chunk] for start in range(0, len(stream), chunk)]

    assert frames_of(*chunks(b"x" * 20), limit=20) == [b"x" * 20]
    with pytest.raises(FrameTooLarge, match="20 bytes"):
        frames_of(*chunks(b"x" * 21), limit=20)


def test_an_endless_frame_is_refused_before_it_ends_and_holds_no_memory() -> None:
    splitter = FrameSplitter(20)
    assert list(splitter.feed(b"\x0b" + b"x" * 20)) == []
    assert splitter.pending_bytes == 20
    with pytest.raises(FrameTooLarge):
        list(splitter.feed(b"x"))
    assert splitter.pending_bytes == 0


def test_the_frames_before_an_oversized_one_are_given_first() -> None:
    stream = FrameSplitter(5).feed(frame(b"MSH|1") + frame(b"MSH|22"))
    assert next(stream) == b"MSH|1"
    with pytest.raises(FrameTooLarge):
        next(stream)


def test_a_large_frame_in_small_chunks_is_put_together() -> None:
    payload = b"0123456789abcdef" * 65536
    stream = frame(payload)
    assert frames_of(*[stream[at : at + 1000] for at in range(0, len(stream), 1000)], limit=1 << 20) == [
        payload
    ]
