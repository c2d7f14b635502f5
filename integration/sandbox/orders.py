"""Reading what the sandbox is told to do: JSON becomes settings, numbers and clocks, or is refused."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from integration.domain.clock import SimulatedClock
from integration.sandbox.admission import Senders, e164
from integration.sandbox.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration.sandbox.exchange import Exchange
    from integration.sandbox.record import Hours


class WrongOrder(ValueError):
    """A request to the sandbox's own API that cannot be carried out; says why."""


def phone_number(written: object) -> str:
    """A phone number in E.164. Raises `WrongOrder`."""
    found = e164(written) if isinstance(written, str) else None
    if found is None:
        raise WrongOrder("not a phone number")
    return found


def seconds(written: object) -> float:
    """A number that is not negative. Raises `WrongOrder`."""
    if not isinstance(written, int | float) or isinstance(written, bool) or written < 0:
        raise WrongOrder("not a number of seconds")
    return float(written)


def settings(exchange: Exchange) -> dict[str, Any]:
    """Everything `change` can change, as JSON has it."""
    senders = exchange.senders
    return asdict(exchange.behaviour) | {
        "numbers": sorted(senders.numbers) if senders.numbers is not None else None,
        "services": {sid: list(pool) for sid, pool in senders.services.items()} if senders.services else None,
    }


def change(exchange: Exchange, order: Mapping[str, Any]) -> None:
    """Change settings, all or none: the fields of `Behaviour`, `numbers`, `services`, `auth_tokens`.

    Raises `WrongOrder`. The caller holds the lock.
    """
    own = {"numbers", "services", "auth_tokens"}
    strange = set(order) - {field.name for field in fields(Behaviour)} - own
    if strange:
        raise WrongOrder(f"unknown: {', '.join(sorted(strange))}")
    changed = {name: _field(exchange.behaviour, name, order[name]) for name in set(order) - own}
    senders, account = exchange.senders, exchange.account
    try:
        if "numbers" in order:
            known = order["numbers"]
            senders = replace(
                senders, numbers=known if known is None else frozenset(map(phone_number, known))
            )
        if "services" in order:
            pools = order["services"]
            tidy = None if pools is None else {sid: tuple(map(phone_number, pools[sid])) for sid in pools}
            senders = Senders(senders.numbers, tidy)
        if "auth_tokens" in order:
            account = replace(account, tokens=tuple(map(str, order["auth_tokens"])) or account.tokens)
    except TypeError:
        raise WrongOrder("numbers and auth_tokens are lists, services an object of lists") from None
    exchange.behaviour = replace(exchange.behaviour, **changed)
    exchange.senders, exchange.account = senders, account
    exchange.version += 1


def set_clock(exchange: Exchange, order: Mapping[str, Any]) -> None:
    """`skew` (seconds, Twilio's clock minus ours); `calendar` (a time) running at `speed`.

    The calendar is what the phone page and the record go by. Raises `WrongOrder`.
    """
    skew = order.get("skew", exchange.skew.total_seconds())
    if not isinstance(skew, int | float):
        raise WrongOrder("skew is a number of seconds")
    if "calendar" in order:
        try:
            clock = SimulatedClock(datetime.fromisoformat(order["calendar"]), seconds(order.get("speed", 1)))
        except (TypeError, ValueError):
            raise WrongOrder("calendar is a time with an offset, speed a number") from None
        clock.begin()
        exchange.clock = clock
    exchange.skew = timedelta(seconds=skew)


def _field(present: Behaviour, name: str, value: Any) -> Any:
    """A new value for one field of `Behaviour`. Raises `WrongOrder`."""
    was = getattr(present, name)
    if name == "hours":
        return _hours(present.hours, value)
    if isinstance(was, float):
        return seconds(value)
    wanted = {"reply_url": str | None, "extra": dict}.get(name, bool)
    if not isinstance(value, wanted):
        raise WrongOrder(f"{name}: not of this kind")
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else value


def _hours(present: Hours, order: Any) -> Hours:
    try:
        hours = replace(present, **order)
        hours.allow(datetime.now(UTC))
    except (TypeError, ValueError, LookupError):
        raise WrongOrder("hours are zone, opens and closes") from None
    return hours
