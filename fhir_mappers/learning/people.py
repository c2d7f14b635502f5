"""What the messages say of people, remembered as hashes, so that no word of theirs is taken for a code."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from fhir_mappers.datatypes import plain
from fhir_mappers.segment_run import NULL
from fhir_mappers.v2_message import SegmentRun

# Fields whose every component may be a person's; of others in these segments only codes are read.
_WHOLE: Final = ("PID-2", "PID-3", "PID-4", "PID-5", "PID-6", "PID-9", "PID-18", "PID-19", "PID-20")
_OTHERS: Final = (
    "NK1-2",
    "NK1-4",
    "GT1-3",
    "GT1-5",
    "IN1-16",
    "IN1-36",
    "SCH-12",
    "SCH-16",
    "SCH-20",
    "AIP-3",
)
_PRACTITIONERS: Final = ("AIG-3", "PV1-7", "PV1-8", "PV1-9", "PV1-17", "PD1-4", "MRG-1", "MRG-4", "MRG-7")
_FIELDS: Final = (*_WHOLE, "PID-7", "PID-11", "PID-13", "PID-14", "PID-40", *_OTHERS, *_PRACTITIONERS)
# Components that are codes in them: assigning authorities and types, uses of numbers and names.
_CODES: Final = {
    **dict.fromkeys(("PID-2", "PID-3", "PID-4", "PID-18", "MRG-1", "MRG-4"), frozenset({4, 5, 6})),
    **dict.fromkeys(("PID-13", "PID-14", "PID-40"), frozenset({2, 3})),
    **dict.fromkeys(("AIP-3", "PV1-7", "PV1-8", "PV1-9", "PV1-17", "PD1-4"), frozenset({8, 9, 10, 13})),
    "PID-5": frozenset({7}),
    "PID-11": frozenset({4, 5, 6, 7}),
}
_COMPONENTS: Final = 14
_SHORT: Final = 3  # letters of a word that may be anybody's
_WORD: Final = re.compile(r"[\w'-]+")
_CODE: Final = re.compile(r"[\w./:+&^'-]{1,20}( [\w./:+&'-]{1,20}){0,2}")
_LONG_NUMBER: Final = re.compile(r"\d{5}")


class People:
    """Words that belong to people."""

    def __init__(self) -> None:
        self._words: set[int] = set()
        self.left_out = 0  # words that were asked for and not said

    def meet(self, message: SegmentRun) -> None:
        """Remember, as hashes, the values and the words in them that are somebody's."""
        for path in _FIELDS:
            name, _, field = path.partition("-")
            codes = _CODES.get(path, frozenset())
            for n in range(1, message.count(name) + 1):
                for repetition in message.field(f"{name}[{n}]-{field}"):
                    for component in range(1, _COMPONENTS):
                        if component not in codes:
                            self._remember(repetition.get(component))

    def _remember(self, value: str) -> None:
        value = plain(value).casefold()
        if len(value) < _SHORT or value == NULL:
            return
        self._words.add(hash(value))
        self._words.update(hash(word) for word in _WORD.findall(value) if len(word) >= _SHORT)

    def codes(self, counts: Mapping[str, int], known: Iterable[str] = (), at_least: int = 2) -> Counter[str]:
        """Those of the words that are codes: shaped so, nobody's, and seen often enough or `known`."""
        told = set(known)
        found: Counter[str] = Counter()
        for word, count in counts.items():
            said = plain(word)
            if said.casefold() in told or (count >= at_least and self._is_nobodys(said)):
                found[said] += count
            elif said:
                self.left_out += 1
        return found

    def _is_nobodys(self, word: str) -> bool:
        if _CODE.fullmatch(word) is None or _LONG_NUMBER.search(word) is not None:
            return False
        word = word.casefold()
        return hash(word) not in self._words and not any(
            hash(part) in self._words for part in _WORD.findall(word) if len(part) >= _SHORT
        )
