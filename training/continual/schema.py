"""A small JSON Schema checker: the subset that run.schema.json and the json_schema scorer use.

Supported: type, enum, const, properties, required, additionalProperties, items, minItems, maxItems, minimum,
maximum, exclusiveMinimum, minLength, maxLength, pattern, anyOf, oneOf, allOf. No dependency, so that a job
starts without one.
"""

import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int,),
}


def errors(value: Any, schema: dict, path: str = "") -> Iterator[str]:
    """Yield one message `path: what is wrong` for each violation, in document order."""
    wanted = schema.get("type")
    if wanted and not _is_type(value, wanted):
        names = wanted if isinstance(wanted, str) else " or ".join(wanted)
        yield f"{path or '(root)'}: must be {names}, is {_name(value)}"
        return
    for check in (_scalar, _object, _array, _combined):
        yield from check(value, schema, path)


def _is_type(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    return any(_one_type(value, n) for n in names)


def _one_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _name(value: Any) -> str:
    for name in ("boolean", "null", "object", "array", "string", "integer", "number"):
        if _one_type(value, name):
            return f"{name} {value!r}"[:80]
    return type(value).__name__


def _scalar(value: Any, schema: dict, path: str) -> Iterator[str]:
    where = path or "(root)"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: must be one of {', '.join(map(str, schema['enum']))}; is {value!r}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: must be {schema['const']!r}; is {value!r}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _bounds(value, schema, where)
    if isinstance(value, str):
        yield from _text(value, schema, where)


def _bounds(value: float, schema: dict, where: str) -> Iterator[str]:
    if "minimum" in schema and not value >= schema["minimum"]:
        yield f"{where}: must be at least {schema['minimum']}; is {value}"
    if "exclusiveMinimum" in schema and not value > schema["exclusiveMinimum"]:
        yield f"{where}: must be above {schema['exclusiveMinimum']}; is {value}"
    if "maximum" in schema and not value <= schema["maximum"]:
        yield f"{where}: must be at most {schema['maximum']}; is {value}"


def _text(value: str, schema: dict, where: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{where}: must have at least {schema['minLength']} characters"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{where}: must have at most {schema['maxLength']} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: must match {schema['pattern']}"


def _object(value: Any, schema: dict, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    for key in schema.get("required", []):
        if key not in value:
            yield f"{_join(path, key)}: is required"
    for key, item in value.items():
        if key in known:
            yield from errors(item, known[key], _join(path, key))
        elif schema.get("additionalProperties") is False:
            yield f"{_join(path, key)}: unknown key; legal here: {', '.join(sorted(known))}"
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from errors(item, schema["additionalProperties"], _join(path, key))


def _array(value: Any, schema: dict, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        return
    if len(value) < schema.get("minItems", 0):
        yield f"{path}: needs at least {schema['minItems']} items; has {len(value)}"
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{path}: at most {schema['maxItems']} items; has {len(value)}"
    for i, item in enumerate(value):
        yield from errors(item, schema.get("items", {}), f"{path}[{i}]")


def _combined(value: Any, schema: dict, path: str) -> Iterator[str]:
    for part in schema.get("allOf", []):
        yield from errors(value, part, path)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            fits = sum(not list(errors(value, part, path)) for part in schema[key])
            if fits == 0 or (key == "oneOf" and fits > 1):
                yield f"{path or '(root)'}: matches {fits} of the {key} alternatives"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
