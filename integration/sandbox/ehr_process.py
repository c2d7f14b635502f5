"""The demo EHR's own process: sekmet-fhir as a plain FHIR R4 server on loopback.

Started by `integration.sandbox.ehr`. It prints its base URL once it listens, and
ends when its standard input does: with the process that started it, however that
one ends.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from threading import Thread
from typing import Any

NOT_INSTALLED = 3  # exit status


def main(data_dir: Path, port: int, clients: str | None = None) -> int:
    """Serve until standard input closes; the exit status. `clients`, JSON: who may come, by SMART alone."""
    try:
        import uvicorn  # noqa: PLC0415 - it comes with sekmet, which may not be installed
        from sekmet.config import ServerAuth, Settings, SimulatorSettings  # noqa: PLC0415 - as above
        from sekmet.main import create_app  # noqa: PLC0415 - as above
    except ImportError:
        return NOT_INSTALLED
    Thread(target=_end_with_parent, daemon=True).start()
    os.chdir(data_dir)  # whatever it writes beside its database stays here
    listener = socket.create_server(("127.0.0.1", port))
    base_url = base_url_at(listener.getsockname()[1])
    settings = Settings(
        base_url=base_url,
        data_dir=str(data_dir),
        facility_name="Sandbox EHR",
        server_auth=_guard(ServerAuth, clients),
        simulator=SimulatorSettings(enabled=False),  # it would answer our appointments by itself
    )
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning", access_log=False))
    sys.stdout.write(base_url + "\n")
    sys.stdout.flush()
    server.run(sockets=[listener])
    return 0


def _guard(server_auth: Any, clients: str | None) -> Any:
    """Who may come."""
    if clients is None:
        return server_auth()
    return server_auth(types=["smart"], smart_clients=json.loads(clients))


def base_url_at(port: int) -> str:
    """Where the server on this port speaks FHIR."""
    return f"http://127.0.0.1:{port}/fhir"


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)  # at once: SQLite's journal keeps what was committed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
