"""The sandbox telephone network, running: used by `run --demo` and by the tests."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from integration.sandbox.server import LoopbackServer
from integration.sandbox.twilio import create_app

if TYPE_CHECKING:
    from integration.sandbox.exchange import Exchange


class Emulator:
    """The sandbox telephone network on a port of its own: `with Emulator(exchange) as running:`."""

    def __init__(self, exchange: Exchange, host: str = "127.0.0.1", port: int = 0) -> None:
        self.exchange = exchange
        self._server = LoopbackServer(create_app(exchange), host, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="sandbox", daemon=True
        )

    @property
    def url(self) -> str:
        """What `TWILIO_API_BASE_URL` should be."""
        return self._server.url

    def start(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End everything; afterwards connecting is refused."""
        self.exchange.stop()
        if self._thread.is_alive():
            self._server.close()
            self._thread.join()
        else:
            self._server.server_close()

    def wait(self) -> None:
        """Return when it has been stopped."""
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
