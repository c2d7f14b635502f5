"""What can go wrong while mapping, and is not a return value.

    MappingError
    ├── UnreadableMessage   the bytes hold no HL7 v2 message that can be addressed
    ├── BadPath             a string is not an HL7 path such as PID-3[2].1
    └── BadProfile          a vendor profile extends one that does not exist, or itself

No error carries a value from a message: only paths, codes and constant words.
"""


class MappingError(ValueError):
    """The root of this package's exceptions."""


class UnreadableMessage(MappingError):
    """The bytes hold no HL7 v2 message: there is no MSH, or its delimiters make no sense."""

    def __init__(self, path: str, code: str, text: str) -> None:
        super().__init__(f"{path}: {text} ({code})")
        self.path = path
        self.code = code
        self.text = text


class BadPath(MappingError):
    """The string is not an HL7 path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} is not an HL7 path; write SEG-field, as in PID-3, PID-3[2].1 or AIS[2]-4")
        self.path = path


class BadProfile(MappingError):
    """A vendor profile cannot be put together from what it extends."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"vendor profile {name!r}: {text}")
        self.name = name
        self.text = text
