"""What every table of a configuration file has in common: how its values are read, and complained of."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


def written(default: object, *, description: str, **limits: Any) -> Any:
    """A field whose default stands here as a person would write it, and is read like any other value."""
    return Field(default, description=description, **limits)


# What TOML writes without quotes, pydantic would read out of a text as well.
_UNQUOTED = {bool: "true or false", int: "a whole number", float: "a number"}


class Section(BaseModel):
    """A table; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_toml_writes_it(cls, value: Any, info: ValidationInfo) -> Any:
        wanted = cls.model_fields[info.field_name or ""].annotation
        kinds = [kind for kind in _UNQUOTED if wanted == kind or wanted == kind | None]
        quoted = isinstance(value, str) or (isinstance(value, bool) and bool not in kinds)
        if kinds and quoted:
            raise ValueError(f"must be {_UNQUOTED[kinds[0]]}, without quotes")
        return value
