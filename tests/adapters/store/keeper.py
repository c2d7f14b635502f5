"""A program that keeps messages and says so, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from hl7_listener.inbox import Receipt, ReceivedMessage
from integration.adapters.store.inbox import open_inbox
from tests.stores import TEST_DATA_KEY


def _message() -> ReceivedMessage:
    control_id = str(uuid4())
    payload = f"MSH|^~\\&|EHR|||||SIU^S12|{control_id}|P|2.5.1\r".encode()
    return ReceivedMessage("main", control_id, payload, sha256(payload).digest(), datetime.now(UTC))


async def _keep_for_ever(url: str, data_directory: str) -> None:
    inbox = open_inbox(url, data_directory=Path(data_directory), data_key=TEST_DATA_KEY, stamp="real")
    while True:
        batch = [_message() for _ in range(5)]
        receipts = await inbox.keep(batch)
        for message, receipt in zip(batch, receipts, strict=True):
            if receipt is Receipt.STORED:
                sys.stdout.write(message.control_id + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_keep_for_ever(*sys.argv[1:]))
