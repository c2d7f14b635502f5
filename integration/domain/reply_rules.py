"""The rules that decide what a reply means, in their order; each gives its reason.

    opt-out, whole or unmistakable ─► stop      nobody who asks to stop is texted again
    START or UNSTOP alone          ─► start
    HELP alone                     ─► help
    urgent words                   ─► human, urgent
    wrong number                   ─► wrong_number
    another time                   ─► reschedule
    cannot come, or a plain no     ─► cancel
    yes                            ─► confirm   only if every word of the reply is plain
    anything else, anything mixed  ─► human

A person reads what is left over: an unclear reply costs a minute, a wrong guess a visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.reply_text import is_picture
from integration.domain.reply_words import Meaning

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from integration.domain.phrase_index import Match
    from integration.domain.reply_words import ReplyWords

OPTION: Final = ""  # the language of an answer our text offered


class Intent(StrEnum):
    """What a reply asks for."""

    CONFIRM = "confirm"  # the visit stands
    CANCEL = "cancel"  # will not come
    RESCHEDULE = "reschedule"  # wants another time
    STOP = "stop"  # wants no more texts
    START = "start"  # wants texts again
    HELP = "help"  # who are you, how does this end
    WRONG_NUMBER = "wrong_number"  # not the patient's phone
    HUMAN = "human"  # a person must read it


@dataclass(frozen=True, slots=True)
class Understood:
    """What a reply means, and the rule that said so; `reason` quotes our vocabulary, never the patient."""

    intent: Intent
    urgent: bool
    reason: str


# Whatever else is plainly said beside a stop does not take the stop back.
_BESIDE_STOP: Final = (
    *(Meaning.OPT_OUT, Meaning.OPT_OUT_ALONE, Meaning.START, Meaning.HELP),
    *(Meaning.CONFIRM, Meaning.DECLINE, Meaning.COURTESY, Meaning.PLEASED),
    *(Meaning.CANCEL, Meaning.RESCHEDULE, Meaning.WRONG_NUMBER, Meaning.REQUEST, Meaning.AROUND_OPT_OUT),
)
_BESIDE_CANCEL: Final = (
    *(Meaning.CANCEL, Meaning.DECLINE, Meaning.COURTESY),
    *(Meaning.AROUND, Meaning.REQUEST),
)
_BESIDE_OPTION: Final = (Meaning.RESCHEDULE, Meaning.DECLINE, Meaning.COURTESY)
_BESIDE_YES: Final = (Meaning.CONFIRM, Meaning.COURTESY, Meaning.PLEASED)
_HARMLESS_IN_YES: Final = frozenset({*_BESIDE_YES, Meaning.AROUND})

Decision = tuple[Intent, str]


class Reply:
    """One reply's words and the known phrases among them."""

    def __init__(
        self,
        words: Sequence[str],
        matches: Sequence[Match],
        *,
        asks: bool,
        vocabulary: Mapping[str, ReplyWords],
    ) -> None:
        self._words, self._matches = words, matches
        self._asks = asks
        self._vocabulary = vocabulary
        self._meanings = {match.meaning for match in matches}

    def understood(self) -> Understood:
        """What it means."""
        rules = (
            *(self._stop, self._start_or_help, self._urgent, self._wrong_number),
            *(self._other_time, self._not_coming, self._no, self._yes),
        )
        decided = (decision for rule in rules if (decision := rule()) is not None)
        intent, reason = next(decided, None) or (Intent.HUMAN, self._why_unclear())
        return Understood(intent, Meaning.URGENT in self._meanings, reason)

    def is_only(
        self, meanings: Collection[Meaning], *, options: Collection[Meaning] = (), pictures: bool = False
    ) -> bool:
        """Whether phrases of these meanings, options that stand for those, and pictures are all of it."""
        covered: set[int] = set()
        for match in self._matches:
            if match.meaning in (options if match.language == OPTION else meanings):
                covered.update(range(match.start, match.end))
        rest = (word for place, word in enumerate(self._words) if place not in covered)
        return all(pictures and is_picture(word) for word in rest)

    def _stop(self) -> Decision | None:
        for match in self._all(Meaning.OPT_OUT_ANYWHERE):
            if not self._turned_round(match) and not self._overlaps(match, Meaning.NOT_OPT_OUT):
                return Intent.STOP, f'opt-out phrase "{self._quote(match)}"'
        whole = self._all(Meaning.OPT_OUT)
        if whole and self.is_only(_BESIDE_STOP, options=tuple(Meaning), pictures=True):
            return Intent.STOP, f'opt-out word "{self._quote(whole[0])}"'
        alone = self._all(Meaning.OPT_OUT_ALONE)
        if alone and self.is_only((Meaning.OPT_OUT_ALONE,), pictures=True):
            return Intent.STOP, f'opt-out word "{self._quote(alone[0])}", alone'
        return None

    def _start_or_help(self) -> Decision | None:
        start, help_ = self._all(Meaning.START), self._all(Meaning.HELP)
        if start and self.is_only((Meaning.START,)):
            return Intent.START, f'keyword "{self._quote(start[0])}"'
        if help_ and self.is_only((Meaning.HELP, Meaning.COURTESY)):
            return Intent.HELP, f'keyword "{self._quote(help_[0])}"'
        return None

    def _urgent(self) -> Decision | None:
        found = self._all(Meaning.URGENT)
        return (Intent.HUMAN, f'urgent: "{self._quote(found[0])}"') if found else None

    def _wrong_number(self) -> Decision | None:
        found = self._all(Meaning.WRONG_NUMBER)
        if not found or any(map(self._turned_round, found)):
            return None
        if self._affirms():
            return Intent.HUMAN, "speaks of a wrong number, and says yes"
        return Intent.WRONG_NUMBER, "says this is not the patient's phone"

    def _other_time(self) -> Decision | None:
        found = self._all(Meaning.RESCHEDULE)
        offered = [match for match in found if match.language == OPTION]
        plain = self.is_only(_BESIDE_OPTION, options=(Meaning.RESCHEDULE, Meaning.DECLINE))
        if offered and plain and not self._asks:
            return Intent.RESCHEDULE, f'the answer offered, "{self._quote(offered[0])}"'
        wishes = [match for match in found if match.language != OPTION]
        if not wishes:
            return None
        if self._affirms() or Meaning.LATE in self._meanings or any(map(self._turned_round, wishes)):
            return Intent.HUMAN, "speaks of another time, and of more"
        return Intent.RESCHEDULE, f'wants another time: "{self._quote(wishes[0])}"'

    def _not_coming(self) -> Decision | None:
        found = self._all(Meaning.CANCEL)
        if not found:
            return None
        plain = self.is_only(_BESIDE_CANCEL, options=(Meaning.DECLINE,))
        wished = not self._asks or Meaning.REQUEST in self._meanings
        if plain and wished and not any(map(self._turned_round, found)):
            return Intent.CANCEL, f'will not come: "{self._quote(found[0])}"'
        return Intent.HUMAN, "speaks of not coming, and of more"

    def _no(self) -> Decision | None:
        found = self._all(Meaning.DECLINE)
        plain = self.is_only((Meaning.DECLINE, Meaning.COURTESY), options=(Meaning.DECLINE,))
        return (
            (Intent.CANCEL, f'a plain "{self._quote(found[0])}"')
            if found and plain and not self._asks
            else None
        )

    def _yes(self) -> Decision | None:
        found = self._all(Meaning.CONFIRM)
        plain = self._meanings <= _HARMLESS_IN_YES and self.is_only(_BESIDE_YES, options=(Meaning.CONFIRM,))
        return (
            (Intent.CONFIRM, f'a plain "{self._quote(found[0])}"')
            if found and plain and not self._asks
            else None
        )

    def _why_unclear(self) -> str:
        if self._asks:
            return "a question"
        if self.is_only((Meaning.COURTESY, Meaning.PLEASED)):
            return "courtesy, and no answer"
        for meaning, why in (
            (Meaning.NOT_OPT_OUT, "holds an opt-out word that means something else"),
            (Meaning.LATE, "comes, but not as asked"),
            (Meaning.UNCLEAR, "sounds plain and is not"),
            (Meaning.CONFIRM, "more than a plain yes"),
            (Meaning.DECLINE, "more than a plain no"),
        ):
            if meaning in self._meanings:
                return why
        return "no rule fits"

    def _all(self, meaning: Meaning) -> list[Match]:
        return [match for match in self._matches if match.meaning is meaning]

    def _quote(self, match: Match) -> str:
        return " ".join(self._words[match.start : match.end])

    def _affirms(self) -> bool:
        """Whether it also says yes; a lone letter amid other words is none (Spanish "y" is "and")."""
        ends = (0, len(self._words) - 1)
        return any(
            match.language == OPTION or match.start in ends or len(self._words[match.start]) > 1
            for match in self._all(Meaning.CONFIRM)
        )

    def _turned_round(self, match: Match) -> bool:
        """Whether a negation stands before the phrase: "please don't" before "stop texting me"."""
        words = self._vocabulary.get(match.language)
        if words is None:
            return False
        links, negations = words.words(Meaning.LINK), words.words(Meaning.NEGATION)
        place = match.start - 1
        while place >= 0 and self._words[place] in links:
            place -= 1
        if place < 0 or self._words[place] not in negations:
            return False
        denies = any(word in negations for word in self._words[match.start : match.end])
        if denies and (self._words[place],) in words.phrases[Meaning.DECLINE]:
            return False  # "no, no quiero mensajes": the first no is an answer
        # In "not interested, stop texting" the "not" belongs to a phrase that is over.
        return not any(other.start <= place < other.end - 1 < match.start for other in self._matches)

    def _overlaps(self, match: Match, meaning: Meaning) -> bool:
        """Whether a phrase of that meaning shares words with it: "I want you to stop by"."""
        return any(other.start < match.end and match.start < other.end for other in self._all(meaning))
