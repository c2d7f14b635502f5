"""What a failed text means, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integration.domain.consent import ALL_SENDERS, SuppressionKind
from integration.domain.consequences import MANY_FILTERED, Consequences, of_failure
from integration.domain.failure import Failure
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import Subject, TextKind, TextMessage

NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
VISIT = NOON + timedelta(days=2)


def text(kind: TextKind = TextKind.REMINDER, sender: str | None = "+15005550006") -> TextMessage:
    return TextMessage(
        id=7,
        practice="riverside",
        number="+12025550123",
        kind=kind,
        occasion="two_days",
        language="en",
        body="Riverside Clinic: …",
        encoding="GSM-7",
        segments=1,
        created_at=NOON,
        not_after=NOON + timedelta(hours=9),
        subjects=(Subject(1, 11), Subject(2, 12, "…")),
        sender=sender,
    )


def after(
    failure: Failure,
    *,
    of: TextMessage | None = None,
    opt_outs_left: int = 20,
    covers_all_senders: bool = True,
    now: datetime = NOON,
) -> Consequences:
    return of_failure(
        of or text(),
        failure,
        "30000",
        now=now,
        visits={11: VISIT, 12: VISIT + timedelta(hours=1)},
        opt_outs_left=opt_outs_left,
        covers_all_senders=covers_all_senders,
    )


@pytest.mark.parametrize("failure", list(Failure))
def test_whatever_failed_each_patient_is_somebodys_task_before_the_visit(
    failure: Failure,
) -> None:
    operators = {TaskKind.RELEASE, TaskKind.SENDER}
    tasks = [task for task in after(failure).tasks if task.kind not in operators]

    assert [(task.patient_id, task.appointment_id, task.due_at) for task in tasks] == [
        (1, 11, VISIT),
        (2, 12, VISIT + timedelta(hours=1)),
    ]
    assert all("30000" in task.reason for task in tasks)


@pytest.mark.parametrize(
    ("failure", "suppressed"),
    [
        (Failure.BAD_NUMBER, SuppressionKind.BAD_NUMBER),
        (Failure.OPTED_OUT, SuppressionKind.OPT_OUT),
        (Failure.UNREACHABLE, None),
        (Failure.RETRY_LATER, None),
        (Failure.DAILY_CAP, None),
        (Failure.FILTERED, None),
        (Failure.EXPIRED, None),
        (Failure.SLOW_DOWN, None),
        (Failure.ACCOUNT, None),
        (Failure.OUR_FAULT, None),
        (Failure.UNKNOWN, None),
    ],
)
def test_only_a_bad_number_and_an_opt_out_suppress(
    failure: Failure, suppressed: SuppressionKind | None
) -> None:
    found = after(failure).suppressions

    assert [one.kind for one in found] == ([suppressed] if suppressed else [])
    assert all(one.source == "carrier" and one.evidence == "30000 +15005550006" for one in found)


def test_a_carriers_opt_out_covers_all_our_senders_unless_the_site_wants_otherwise() -> None:
    def sender(*, covers_all_senders: bool, of: TextMessage | None = None) -> str:
        return after(Failure.OPTED_OUT, of=of, covers_all_senders=covers_all_senders).suppressions[0].sender

    assert sender(covers_all_senders=True) == ALL_SENDERS
    assert sender(covers_all_senders=False) == "+15005550006"
    assert sender(covers_all_senders=False, of=text(sender=None)) == ALL_SENDERS


def test_beyond_the_hours_cap_nobody_is_opted_out_and_sending_waits_for_a_person() -> None:
    found = after(Failure.OPTED_OUT, opt_outs_left=0)

    assert not found.suppressions
    assert found.breaker is not None
    assert found.breaker.name == "carrier opt-outs"
    assert [task.kind for task in found.tasks].count(TaskKind.RELEASE) == 1


def test_trouble_with_our_account_stops_everything_and_opts_nobody_out() -> None:
    found = after(Failure.ACCOUNT)

    assert found.breaker is not None
    assert found.breaker.name == "account"
    assert not found.suppressions
    assert TaskKind.RELEASE in {task.kind for task in found.tasks}


def test_a_visit_that_a_second_try_will_speak_of_is_nobodys_call_yet() -> None:
    found = of_failure(
        text(),
        Failure.UNREACHABLE,
        "30003",
        now=NOON,
        visits={11: VISIT, 12: VISIT},
        opt_outs_left=20,
        covers_all_senders=True,
        again={11},
    )

    assert [task.appointment_id for task in found.tasks] == [12]


@pytest.mark.parametrize(
    ("failure", "filtered", "told"),
    [
        (Failure.OUR_FAULT, 0, True),
        (Failure.FILTERED, MANY_FILTERED - 1, False),
        (Failure.FILTERED, MANY_FILTERED, True),
        (Failure.UNKNOWN, MANY_FILTERED, False),
    ],
)
def test_what_is_wrong_with_what_we_send_is_the_operators_task(
    failure: Failure, filtered: int, *, told: bool
) -> None:
    found = of_failure(
        text(),
        failure,
        "30007",
        now=NOON,
        visits={},
        opt_outs_left=20,
        covers_all_senders=True,
        filtered=filtered,
    )

    assert (TaskKind.SENDER in {task.kind for task in found.tasks}) is told


def test_an_answer_of_ours_that_does_not_arrive_is_nobodys_task() -> None:
    assert not after(Failure.UNREACHABLE, of=text(TextKind.ANSWER)).tasks


def test_nobody_is_called_about_a_visit_that_has_been() -> None:
    late = after(Failure.UNREACHABLE, now=VISIT + timedelta(minutes=1))

    assert [task.appointment_id for task in late.tasks] == [12]
