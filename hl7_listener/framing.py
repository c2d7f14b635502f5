"""Cuts a stream of bytes into MLLP frames, however the network chopped it.

    0x0B  payload  0x1C 0x0D          (MLLP release 1)

What stands between two frames is noise: the closing CR, which some senders leave out, and the LF, CRLF or
NUL that others add. A frame ends at 0x1C, whatever follows: waiting for the CR would leave a sender that
never sends it without an answer for ever.
"""

from collections.abc import Iterator

START = b"\x0b"
END = b"\x1c"
TRAILER = b"\x1c\r"

DEFAULT_MAX_FRAME_BYTES = 16 * 1024 * 1024
_HARMLESS_NOISE = b"\r\n\0 "
_RESTARTS = (b"\x0bMSH", b"\x0bFHS", b"\x0bBHS")  # what a frame begins with, message or batch


class FrameTooLarge(Exception):
    """A frame grew beyond the limit; what follows on this stream cannot be trusted to begin a frame."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"frame larger than {limit} bytes")
        self.limit = limit


def frame(payload: bytes) -> bytes:
    """The payload as MLLP puts it on the wire."""
    return START + payload + TRAILER


class FrameSplitter:
    """The frames of one connection. Each byte is looked at once and copied at most twice."""

    __slots__ = ("_partial", "broken_off", "inside", "max_frame_bytes", "noise_bytes")

    def __init__(self, max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES) -> None:
        self.max_frame_bytes = max_frame_bytes
        self.inside = False
        """Whether a frame has begun and not ended."""
        self._partial = bytearray()
        self.noise_bytes = 0
        """Bytes outside any frame, but for line ends, NUL and blanks; the reader may reset it."""
        self.broken_off = 0
        """Frames that another `0x0B MSH` cut short: their sender began again; the reader may reset it."""

    @property
    def pending_bytes(self) -> int:
        """How much of an unfinished frame is held."""
        return len(self._partial)

    def drop(self) -> None:
        """Forget the unfinished frame."""
        self._partial = bytearray()
        self.inside = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the payload of each frame that `data` completes, in order.

        Iterate to the end: what was not iterated over is lost. Raises FrameTooLarge after the frames that
        came before the oversized one; feed nothing more then.
        """
        position = 0
        while True:
            if not self.inside:
                start = data.find(START, position)
                noise = data[position:] if start < 0 else data[position:start]
                if noise and noise.strip(_HARMLESS_NOISE):
                    self.noise_bytes += len(noise.strip(_HARMLESS_NOISE))
                if start < 0:
                    return
                position = start + 1
                self.inside = True
            end = data.find(END, position)
            length = len(self._partial) + (len(data) if end < 0 else end) - position
            if length > self.max_frame_bytes:
                self._partial.clear()
                raise FrameTooLarge(self.max_frame_bytes)
            if end < 0:
                self._partial += data[position:]
                return
            if self._partial:
                self._partial += data[position:end]
                payload = bytes(self._partial)
                self._partial = bytearray()
            else:
                payload = data[position:end]
            position = end + 1
            self.inside = False
            yield self._after_restart(payload)

    def _after_restart(self, payload: bytes) -> bytes:
        """The part after the last `0x0B MSH` (or FHS, BHS) in a frame: what stood before was never finished.

        A lone 0x0B stays: it is a line break in text that came from a word processor.
        """
        if START not in payload:
            return payload
        restart = max(map(payload.rfind, _RESTARTS))
        if restart < 0:
            return payload
        if restart > 0:
            self.broken_off += 1
        return payload[restart + 1 :]
