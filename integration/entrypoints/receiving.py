"""The two HTTP ports: what the world may reach, and what the operator of this machine may.

Served by waitress: it alone of the small servers hands on the raw request address (REQUEST_URI), which the
provider's signature covers (docs/decisions).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from integration.entrypoints.fhir_subscription import fhir_subscription
from integration.entrypoints.health import health
from integration.entrypoints.jwks import jwks
from integration.entrypoints.sms_webhooks import sms_webhooks
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from integration.adapters.ehr.signing_keys import KeyRing
    from integration.ports.workshop import Workshop

THREADS = 8
_LONGEST_BODY = 1024 * 1024  # bytes; single routes take less
_DRAIN = 5  # seconds


def public_app(
    workshop: Workshop,
    ready: Callable[[], Mapping[str, bool | str]],
    notes: Callable[[], Sequence[str]] = lambda: (),
    *,
    secrets: Mapping[str, Sequence[str]],
    keys: KeyRing | None = None,
) -> Flask:
    """What is reached from outside; `secrets` are those of notifications, by source."""
    app = Flask("appointment_texts", static_folder=None)
    app.register_blueprint(health(ready, notes))
    app.register_blueprint(sms_webhooks(workshop))
    app.register_blueprint(fhir_subscription(workshop, secrets))
    app.register_blueprint(jwks(keys))
    return app


def mounted(apps: Mapping[str, WSGIApplication], otherwise: WSGIApplication) -> WSGIApplication:
    """One application out of several, by the whole path, or by its beginning where that ends with a slash."""

    def choose(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        path = environ.get("PATH_INFO", "")
        beneath = (app for place, app in apps.items() if place.endswith("/") and path.startswith(place))
        return (apps.get(path) or next(beneath, otherwise))(environ, start_response)

    return choose


class Exchangeable:
    """An application in whose place another may come between two requests."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """As the application that is there now."""
        return self.app(environ, start_response)


class Receiver:
    """One application on one port, in a thread of its own."""

    def __init__(self, app: WSGIApplication, host: str, port: int, variable: str) -> None:
        """Take the port at once; raises Refused, naming the variable, when it cannot be had."""
        self._sockets: dict[int, Any] = {}
        self._stopping = threading.Event()
        try:
            self._server = create_server(
                app,
                map=self._sockets,
                host=host,
                port=port,
                threads=THREADS,
                ident=None,
                max_request_body_size=_LONGEST_BODY,
                clear_untrusted_proxy_headers=True,
            )
        except OSError as error:
            wasyncore.close_all(self._sockets)
            raise Refused(f"{host}:{port} cannot be listened on ({error.strerror}); set {variable}") from None
        self._thread = threading.Thread(target=self._serve, name=f"http {port}", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then let go of the port."""
        self._stopping.set()
        self._thread.join(_DRAIN)
        self._server.task_dispatcher.shutdown(timeout=_DRAIN)
        wasyncore.close_all(self._sockets)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=0.5, map=self._sockets, count=1)
