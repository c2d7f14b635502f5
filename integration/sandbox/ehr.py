"""An EHR to try the product with: sekmet-fhir in a process of its own, and sample charts to put in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

import httpx

from integration.sandbox import ehr_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

READY_WITHIN: Final = 30.0  # seconds
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class SandboxEhrUnavailable(Exception):
    """The sandbox EHR could not be started; the words say what to do."""


class DemoEhr:
    """One FHIR R4 server on loopback, with its data in `data_dir`; ends with this process."""

    def __init__(
        self, data_dir: Path, port: int = 0, *, clients: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """`clients` may come, by a token: client_id, scopes, and jwks, jwks_url or client_secret of each.

        Without them everybody may do everything.
        """
        self._data_dir = data_dir
        self._port = port
        self._clients = clients
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def expected_url(self) -> str:
        """The FHIR base URL it will have, known beforehand when a port was given."""
        return ehr_process.base_url_at(self._port)

    def start(self) -> str:
        """Start it and wait until it answers; its FHIR base URL. Raises `SandboxEhrUnavailable`."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        log_path = self._data_dir / "ehr.log"
        # -P: the modules beside that file must not shadow libraries of the same name.
        command = [sys.executable, "-P", ehr_process.__file__, str(self._data_dir.resolve()), str(self._port)]
        if self._clients is not None:
            command.append(json.dumps(list(self._clients)))
        with log_path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program, with our own arguments
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        self._process = process
        too_late = Timer(READY_WITHIN, process.kill)
        too_late.start()
        try:
            return _ready(process)
        except (OSError, httpx.HTTPError) as error:
            self.stop()
            if process.returncode == ehr_process.NOT_INSTALLED:
                remedy = "it needs sekmet-fhir: pip install 'appointment-texts[demo]'"
            else:
                remedy = f"see {log_path}"
            raise SandboxEhrUnavailable(f"the sandbox EHR did not start; {remedy}") from error
        finally:
            too_late.cancel()

    def stop(self) -> None:
        """End it; harmless when it has ended already."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes]) -> str:
    """The base URL, once the server there answers; raises OSError or an httpx error."""
    base_url = process.stdout.readline().decode().strip() if process.stdout else ""
    if not base_url:
        raise ChildProcessError("it ended before it listened")
    with httpx.Client(trust_env=False, timeout=READY_WITHIN) as http:
        http.get(f"{base_url}/metadata").raise_for_status()
    return base_url


def seed(
    base_url: str,
    patients: Sequence[Mapping[str, Any]],
    appointments: Sequence[Mapping[str, Any]] = (),
    token: str | None = None,
) -> tuple[list[str], list[str]]:
    """Put FHIR R4 Patients and Appointments into the demo EHR, once however often it is called.

    A resource that is there already, by its first identifier, is left alone. A participant that
    refers to one of these patients, by `Patient/<id>` or by one of its identifiers, is pointed to
    the chart the server made. Returns the server's ids of both.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(trust_env=False, timeout=10, headers=headers) as http:
        patient_ids = [_create(http, base_url, patient) for patient in patients]
        charts = dict(zip(patient_ids, patients, strict=True))
        appointment_ids = [_create(http, base_url, _pointed(each, charts)) for each in appointments]
    return patient_ids, appointment_ids


def _pointed(appointment: Mapping[str, Any], charts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The appointment with its patients' charts as participants."""
    participants = []
    for participant in appointment.get("participant") or ():
        actor = participant.get("actor") or {}
        chart_id = next((each for each, patient in charts.items() if _means(actor, patient)), None)
        pointed = {"type": "Patient", "reference": f"Patient/{chart_id}"}
        participants.append({**participant, "actor": pointed} if chart_id else participant)
    return {**appointment, "participant": participants}


def _means(actor: Mapping[str, Any], patient: Mapping[str, Any]) -> bool:
    """Whether a Reference is to this patient."""
    if "reference" in actor:
        return bool(actor["reference"] == f"Patient/{patient.get('id')}")
    wanted = actor.get("identifier") or {}
    return actor.get("type") == "Patient" and any(
        (each.get("system"), each.get("value")) == (wanted.get("system"), wanted.get("value"))
        for each in patient.get("identifier") or ()
    )


def _create(http: httpx.Client, base_url: str, resource: Mapping[str, Any]) -> str:
    identifiers = resource.get("identifier") or ()
    first = next((each for each in identifiers if each.get("value")), None)
    headers = {"Content-Type": "application/fhir+json"}
    if first is not None:
        token = f"{first.get('system', '')}|{first['value']}" if first.get("system") else first["value"]
        headers["If-None-Exist"] = str(httpx.QueryParams({"identifier": token}))
    body = {name: value for name, value in resource.items() if name != "id"}
    answer = http.post(f"{base_url}/{resource['resourceType']}", json=body, headers=headers)
    answer.raise_for_status()
    return str(answer.json()["id"])
