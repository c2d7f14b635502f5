"""Knocks through a broker, RabbitMQ or Redis: what a distributed deployment has in place of bells.

A knock is a Celery task that carries nothing. Losing one costs a sweep, having one twice costs nothing.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final

import structlog
from celery import Celery

from integration.entrypoints.knocker import SILENCE, SWEEP
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    from integration.settings.environment import Environment

# Seconds after which a knock nobody took is dropped, so that knocks do not pile up. Longer than the sweep by
# as much as the clocks of two hosts may differ.
EXPIRES: Final = 5.0
_REDIS_UNSEEN: Final = 60  # seconds after which Redis gives a knock to another worker
_TOGETHER: Final = 0.01  # seconds; knocks on one step within it are one
_REST: Final = 5.0  # seconds after the broker did not answer; the sweep goes on without us
_log = structlog.get_logger(__name__)


def task_name(step: str) -> str:
    """The Celery task of a step."""
    return f"appointment_texts.{step}"


def celery_app(environment: Environment) -> Celery:
    """The application of these surroundings, without its tasks. Raises Refused without a broker."""
    if environment.broker_url is None:
        raise Refused("set APPOINTMENT_TEXTS_BROKER_URL: amqp://… (RabbitMQ) or redis://…")
    app = Celery("appointment_texts", set_as_current=False)
    rabbitmq = environment.broker_url.startswith(("amqp", "pyamqp"))
    options = {"options": {"expires": EXPIRES}}
    app.conf.update(
        broker_url=environment.broker_url,
        broker_connection_timeout=2,
        broker_connection_retry_on_startup=True,
        broker_transport_options={} if rabbitmq else {"visibility_timeout": _REDIS_UNSEEN},
        task_default_queue="appointment_texts",
        task_default_queue_type="quorum" if rabbitmq else "classic",
        task_default_exchange_type="topic" if rabbitmq else "direct",  # as Celery asks of quorum queues
        worker_detect_quorum_queues=rabbitmq,
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        beat_scheduler="celery.beat:Scheduler",  # in memory: there is nothing to remember of a sweep
        beat_schedule={
            "sweep": {"task": task_name("sweep"), "schedule": SWEEP, **options},
            "silent texts": {"task": task_name("look_up"), "schedule": SILENCE, **options},
            "silent feeds": {"task": task_name("silence"), "schedule": SILENCE, **options},
        },
    )
    return app


class BrokerKnocks:
    """Publishes knocks in a thread of its own, which the first knock of a process starts.

    So a broker that is away or slow is never in the way of who knocks.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: set[str] = set()
        self._change = threading.Condition()
        self._process = 0

    def knock(self, step: str) -> None:
        """There may be work for this step."""
        with self._change:
            self._waiting.add(step)
            self._change.notify()
            if self._process != os.getpid():  # also after a fork, which takes no thread along
                self._process = os.getpid()
                threading.Thread(target=self._run, name="broker knocks", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._waiting:
                    self._change.wait()
                knocks, self._waiting = self._waiting, set()
            try:
                for step in sorted(knocks):
                    self._app.send_task(task_name(step), expires=EXPIRES, retry=False, ignore_result=True)
            except Exception as trouble:  # noqa: BLE001 - whatever the broker's client says, rows remember
                _log.warning("the broker does not answer; sweeps go on", trouble=type(trouble).__name__)
                time.sleep(_REST)
            time.sleep(_TOGETHER)
