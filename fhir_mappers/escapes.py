r"""Undoes HL7 escape sequences (HL7 v2 2.7): \F\ \S\ \T\ \R\ \E\ \P\, \Xhh\, \.br\ and kin.

Highlighting (\H\ \N\) and shifts of character set (\C..\ \M..\) leave nothing behind. An unknown
sequence keeps its text and loses its slashes; a single escape character stays as it is.
"""

import re
from functools import lru_cache

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_SHIFT = re.compile(r"[CM][0-9A-Fa-f]{4,6}")
_COUNTED = re.compile(r"\.(sp|sk)\+?(\d{0,2})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Formatting commands of FT (2.7.6) that start a new line; the rest (.in .ti .fi .nf) move nothing we show.
_LINE_COMMANDS = {".br": "\n", ".ce": "\n", ".in": "", ".ti": "", ".fi": "", ".nf": ""}


@lru_cache(maxsize=64)
def _sequence(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(f"{mark}([^{mark}]*){mark}")


def unescape(value: str, delimiters: str, codec: str) -> str:
    r"""Return `value` with its escape sequences undone.

    `delimiters` is MSH-1 and MSH-2 together (`|^~\&`, perhaps a sixth, the truncation character);
    `codec` reads the bytes of `\Xhh..\`.
    """
    plain = dict(zip("FSRETP", delimiters, strict=False)) | {"H": "", "N": ""}

    def undo(match: re.Match[str]) -> str:
        code = match.group(1)
        if code in plain:
            return plain[code]
        if code.startswith("."):
            return _format(code)
        if code.startswith("X") and _HEX.fullmatch(code, 1):
            text = bytes.fromhex(code[1:]).decode(codec, "replace").replace("\r\n", "\n").replace("\r", "\n")
            return _CONTROL.sub("", text)
        return "" if _SHIFT.fullmatch(code) else code

    return _sequence(delimiters[3]).sub(undo, value)


def _format(code: str) -> str:
    counted = _COUNTED.fullmatch(code)
    if counted:
        return ("\n" if counted.group(1) == "sp" else " ") * int(counted.group(2) or 1)
    return _LINE_COMMANDS.get(code[:3], code)
