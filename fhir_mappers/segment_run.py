"""Segments in their order, addressed by HL7 path: what a message and its groups have in common.

Nothing is split before it is read. The grammar of paths is in `hl7_path`.
"""

from collections.abc import Sequence
from typing import Final

from fhir_mappers.escapes import unescape
from fhir_mappers.hl7_path import read_path

NULL: Final = '""'  # HL7 null: the value is deleted, not merely not sent (2.5.3.2)


class Composite:
    """One repetition of a field: components and subcomponents counted from 1."""

    __slots__ = ("_components", "_plain", "_run")

    def __init__(self, raw: str, run: "SegmentRun") -> None:
        delimiters = run.delimiters
        self._components = raw.split(delimiters[1])
        self._plain = not (delimiters[3] in raw or delimiters[4] in raw or NULL in raw)
        self._run = run

    def get(self, component: int, subcomponent: int = 1) -> str:
        """Return the value, unescaped; '' when absent or null."""
        components = self._components
        if component > len(components):
            return ""
        value = components[component - 1]
        if self._plain:
            return value if subcomponent == 1 else ""
        parts = value.split(self._run.delimiters[4])
        return self._run.clean(parts[subcomponent - 1]) if subcomponent <= len(parts) else ""


class SegmentRun:
    """Segments in their order, addressed by HL7 path. A message is one, a group within it another.

    A segment is a list: its line alone until somebody reads it, its fields from then on ([0] is the name).
    """

    __slots__ = ("_index", "_separators", "codec", "delimiters", "rows")

    def __init__(self, rows: Sequence[list[str]], delimiters: str, codec: str) -> None:
        self.rows = rows
        self.delimiters = delimiters  # MSH-1 and MSH-2: field, component, repetition, escape, subcomponent
        self._separators = tuple(delimiters[:5])
        self.codec = codec  # reads the bytes of \X..\
        index: dict[str, list[list[str]]] = {}
        for row in rows:
            name = row[0][:3]
            if name in index:
                index[name].append(row)
            else:
                index[name] = [row]
        self._index = index

    def get(self, path: str) -> str:  # noqa: C901, PLR0911 - every fact passes here; flat is fastest
        """Return the value at `path`, unescaped; '' when absent or null. Raises BadPath only."""
        name, occurrence, field, repetition, component, subcomponent = read_path(path)
        rows = self._index.get(name)
        if rows is None or occurrence >= len(rows):
            return ""
        fields = rows[occurrence]
        if len(fields) == 1:
            self._split(fields)
        if field >= len(fields):
            return ""
        value = fields[field]
        if not value or (field <= 2 and name == "MSH"):  # noqa: PLR2004 - MSH-1 and MSH-2 are the delimiters
            return value
        _, component_separator, repetition_separator, escape, subcomponent_separator = self._separators
        if repetition_separator in value:
            parts = value.split(repetition_separator)
            value = parts[repetition] if repetition < len(parts) else ""
        elif repetition:
            return ""
        if component_separator in value:
            parts = value.split(component_separator)
            value = parts[component] if component < len(parts) else ""
        elif component:
            return ""
        if subcomponent_separator in value:
            parts = value.split(subcomponent_separator)
            value = parts[subcomponent] if subcomponent < len(parts) else ""
        elif subcomponent:
            return ""
        return self.clean(value) if escape in value or value == NULL else value

    __getitem__ = get

    def is_null(self, path: str) -> bool:
        """Say whether the sender wrote "" there: delete what was stored."""
        return self.raw(path) == NULL

    def raw(self, path: str) -> str:
        """Return the value at `path` as sent: escaped, `NULL` for null, '' when absent."""
        name, _, field, *positions = read_path(path)
        value = self.text(path)
        if field <= 2 and name == "MSH":  # noqa: PLR2004 - MSH-1 and MSH-2 are the delimiters
            return value
        _, component, repetition, _, subcomponent = self._separators
        for separator, position in zip((repetition, component, subcomponent), positions, strict=True):
            parts = value.split(separator)
            value = parts[position] if position < len(parts) else ""
        return value

    def text(self, path: str) -> str:
        """Return the whole field `path` lies in as sent: with its delimiters, escapes and repetitions."""
        name, occurrence, field, *_ = read_path(path)
        rows = self._index.get(name)
        if rows is None or occurrence >= len(rows):
            return ""
        fields = rows[occurrence]
        if len(fields) == 1:
            self._split(fields)
        return fields[field] if field < len(fields) else ""

    def field(self, path: str) -> list[Composite]:
        """Return the repetitions of the field `path` lies in, empty ones included; [] when absent."""
        value = self.text(path)
        return [Composite(part, self) for part in value.split(self.delimiters[2])] if value else []

    def repetitions(self, path: str) -> int:
        """Count the repetitions of the field `path` lies in; 0 when absent."""
        value = self.text(path)
        return value.count(self.delimiters[2]) + 1 if value else 0

    def count(self, name: str) -> int:
        """Count the segments of that name."""
        return len(self._index.get(name, ()))

    def column(self, name: str, field: int) -> list[str]:
        """Return the raw field of every segment of that name, '' where absent."""
        column = []
        for fields in self._index.get(name, ()):
            if len(fields) == 1:
                self._split(fields)
            column.append(fields[field] if field < len(fields) else "")
        return column

    @property
    def segments(self) -> list[str]:
        """The names of the segments, in order."""
        return [row[0][:3] for row in self.rows]

    def part(self, rows: Sequence[list[str]]) -> "SegmentRun":
        """Return some of these segments as a run of their own."""
        return SegmentRun(rows, self.delimiters, self.codec)

    def clean(self, value: str) -> str:
        """Return one raw leaf unescaped; '' for null."""
        if value == NULL:
            return ""
        return unescape(value, self.delimiters, self.codec) if self.delimiters[3] in value else value

    def _split(self, fields: list[str]) -> None:
        separator = self.delimiters[0]
        fields[:] = fields[0].split(separator)
        if fields[0] == "MSH":
            fields.insert(1, separator)  # MSH-1 is the separator itself
