"""What the pipeline and staff ask of a store about consent: every yes and no, and every suppression ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.consent import ConsentRecord, Suppression


class ConsentRows(Protocol):
    """The ledger of consent; what it holds is kept for ever (`domain.consent.KEPT_FOR_YEARS`)."""

    def record(self, record: ConsentRecord) -> bool:
        """Write it down; False when the very same is there already."""

    def of_patient(self, patient_id: int) -> Sequence[ConsentRecord]:
        """All of a patient, the newest first: the first one counts."""

    def listing(self, *, after_id: int = 0, limit: int = 1000) -> Sequence[ConsentRecord]:
        """Everybody's, by id, above an id."""

    def of_number(self, number: str) -> Sequence[Suppression]:
        """Every suppression of a number, lifted ones too, oldest first."""

    def suppression(self, suppression_id: int) -> Suppression:
        """By its id, lifted or not; KeyError when unknown."""

    def suppressed(self, *, after_id: int = 0, limit: int = 1000) -> Sequence[Suppression]:
        """Every number's suppressions that are in force, by id, above an id."""

    def lift(
        self, suppression: Suppression, *, at: datetime, by: str, note: str = "", await_start: bool = False
    ) -> None:
        """Lift it (kept as a record), or let it wait, in force, until the number's START lifts it.

        `note` tells which of the staff, and why.
        """

    def passed(self, number: str, at: datetime, *, offered_at: datetime) -> int:
        """A text reached the number: what awaited its START when it was offered is lifted. Returns how many.

        One that was offered before says nothing of what the carrier blocks since.
        """
