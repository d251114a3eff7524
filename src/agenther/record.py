"""The base of all records: frozen, closed, with a canonical JSON form and a content key."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, GetPydanticSchema, JsonValue, ValidationInfo

Json = JsonValue
"""Any value that JSON can hold."""

JsonObject = dict[str, JsonValue]
"""A JSON object."""


DEEPEST = 100
"""Containers inside one another that a JSON value of a record may have: deeper ones could be stored but not read back."""
_MOST = 254
"""With more containers inside one another the serialiser refuses: it counts faster than a walk here would."""
_NOT_STORABLE = f"no JSON, JSON nested more than {DEEPEST} levels deep, or a number beyond 64 bits"


def is_storable(value: Any) -> bool:
    """Tell whether a JSON value can be stored: not nested too deeply, no number that JSON has no room for."""
    return _stored(value) is not None


def _stored(value: Any, deepest: int = DEEPEST) -> bytes | None:
    """Return a value as JSON text, None when it cannot be stored."""
    try:
        text = orjson.dumps(value)
        if text.count(b"[") + text.count(b"{") > deepest:
            for _ in range(_MOST - deepest):
                value = [value]
            orjson.dumps(value)
    except TypeError:
        return None
    return text


def _as_read_back(value: dict[str, Any], info: ValidationInfo) -> JsonObject:
    text = _stored(value)
    if text is None:
        raise ValueError(_NOT_STORABLE)
    return value if info.mode == "json" else orjson.loads(text)


def _each_as_read_back(values: tuple[dict[str, Any], ...], info: ValidationInfo) -> tuple[JsonObject, ...]:
    text = _stored(values, DEEPEST + 1)
    if text is None:
        raise ValueError(_NOT_STORABLE)
    return values if info.mode == "json" else tuple(orjson.loads(text))


_OBJECT = Annotated[dict[str, Any], AfterValidator(_as_read_back)]
_OBJECTS = Annotated[tuple[dict[str, Any], ...], AfterValidator(_each_as_read_back)]

StorableObject = Annotated[JsonObject, GetPydanticSchema(lambda _, handler: handler(_OBJECT))]
"""A JSON object that a record takes only when it can be stored, and holds as it will be read back."""

StorableObjects = Annotated[tuple[JsonObject, ...], GetPydanticSchema(lambda _, handler: handler(_OBJECTS))]
"""JSON objects that a record takes only when all can be stored, and holds as they will be read back."""


def canonical_json(value: Any) -> bytes:
    """Serialise with sorted keys and no white space, so that equal content gives equal bytes; also records."""
    return _dumps(value, orjson.OPT_SORT_KEYS)


def record_json(record: Record) -> str:
    """Return a record as the JSON that `model_dump_json` gives, which takes longer to write it."""
    return _dumps(record).decode()


def _dumps(value: Any, option: int | None = None) -> bytes:
    """Serialise records too; orjson makes a TypeError of Ctrl-C, which is noticed where it calls back."""
    try:
        return orjson.dumps(value, default=_fields_of, option=option)
    except TypeError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise error.__cause__ from None
        raise


def _fields_of(record: Record) -> dict[str, Any]:
    """Return the fields of a record, without what was computed and kept from them; AttributeError when it is none."""
    names, kept = record.__pydantic_fields__, vars(record)
    return kept if len(kept) == len(names) else {name: kept[name] for name in names}


def content_key(value: Any) -> str:
    """Return the sha256 of the canonical JSON of a value, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


class Record(BaseModel):
    """An immutable value. Equal content has an equal `key`, wherever it was found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where_found: ClassVar[frozenset[str]] = frozenset()
    """Names of fields that say where a record was found and do not belong to its content."""

    def __copy__(self) -> Self:
        """Copy the fields alone: what was computed and kept from them may not hold for a copy that is changed."""
        copied = super().__copy__()
        object.__setattr__(copied, "__dict__", _fields_of(copied))
        return copied

    @cached_property
    def key(self) -> str:
        """Sha256 of the canonical JSON, leaving out the fields in `where_found`."""
        fields = _fields_of(self).items()
        return content_key({name: value for name, value in fields if name not in self.where_found})
