"""The telephone network by itself: `python -m integration.sandbox --port 8090`."""

from __future__ import annotations

import argparse
import os
import sys

from integration.sandbox.behaviour import ACCOUNT, TOKEN, Account, Behaviour
from integration.sandbox.emulator import Emulator
from integration.sandbox.exchange import Exchange


def main() -> int:
    """Serve until interrupted; `TWILIO_ACCOUNT_SID` and `TWILIO_AUTH_TOKEN`, if set, are the account."""
    reader = argparse.ArgumentParser(prog="python -m integration.sandbox", description=__doc__)
    reader.add_argument("--port", type=int, default=8090, help="0 takes any free port (default: 8090)")
    reader.add_argument("--reply-url", help="where patients' answers are posted, …/sms/twilio/reply")
    reader.add_argument("--pace", type=float, default=1.0, help="seconds between two statuses (default: 1)")
    asked = reader.parse_args()
    tokens = tuple(os.environ.get("TWILIO_AUTH_TOKEN", TOKEN).split(","))
    account = Account(os.environ.get("TWILIO_ACCOUNT_SID", ACCOUNT), tokens)
    exchange = Exchange(account, Behaviour(reply_url=asked.reply_url, pace=asked.pace))
    with Emulator(exchange, port=asked.port) as running:
        sys.stdout.write(
            f"Sandbox phones:  {running.url}/sandbox/phone\n"
            "Point the product at it with:\n"
            f"  TWILIO_API_BASE_URL={running.url}\n"
            f"  TWILIO_ACCOUNT_SID={account.sid}\n"
            "  TWILIO_AUTH_TOKEN, unless you have set one: " + TOKEN + "\n"
        )
        sys.stdout.flush()
        try:
            running.wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
