"""Write pkg/asl/sdk/actions.txt.gz: every API action behind Step Functions' aws-sdk integrations.

Usage: python scripts/gen/sdk_actions.py   (in an environment with botocore; .cache/moto has it, pinned)

One line per service: its name in the SDK for Java 2.x, which Step Functions uses (the service id in lower
case without spaces, hyphens and a last word "Service"), then its actions in camel case, each behind a tab and
followed by the fields of its request as Step Functions writes them. Signs behind a field: "*" it is required,
"$" a text, "#" a whole number, "~" the case of its letters is not sure.
"""

import gzip
import re
from pathlib import Path
from typing import Any

import botocore.session

OUT = Path(__file__).resolve().parents[2] / "pkg" / "asl" / "sdk" / "actions.txt.gz"
KINDS = {"string": "$", "integer": "#"}


def pascal(name: str) -> str:
    """Write a field as the SDK for Java does, with a capital: DBInstanceId becomes DbInstanceId."""
    name = name[0].upper() + name[1:]
    run = len(re.match("[A-Z]*", name)[0])
    if run == len(name):
        return name[0] + name[1:].lower()
    return name if run < 2 else name[0] + name[1 : run - 1].lower() + name[run - 1 :]


def field(shape: Any, name: str, streamed: str) -> str:
    """Describe one field of a request."""
    of = shape.members[name]
    given = of.metadata.get("idempotencyToken") or of.serialization.get("idempotencyToken")
    required = (name in shape.required_members and not given) or name == streamed
    unsure = re.search("[A-Z]{2}|[0-9_]", name) is not None
    return pascal(name) + "*" * required + "~" * unsure + KINDS.get(of.type_name, "")


def action(model: Any, name: str) -> str:
    """Describe an action with its request."""
    shape = model.operation_model(name).input_shape
    words = [name[0].lower() + name[1:]]
    if shape is not None:
        payload = shape.serialization.get("payload", "")
        streamed = payload if payload and model.operation_model(name).has_streaming_input else ""
        words += [field(shape, member, streamed) for member in shape.members]
    return " ".join(words)


def lines() -> list[str]:
    """Give one line per service, in order of names."""
    session = botocore.session.get_session()
    found: dict[str, dict[str, str]] = {}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        name = str(model.service_id).removesuffix(" Service").lower().replace(" ", "").replace("-", "")
        of = found.setdefault(name, {})
        for op in model.operation_names:
            of.setdefault(op, action(model, op))
    return ["\t".join([name, *(of[op] for op in sorted(of))]) for name, of in sorted(found.items())]


def main() -> None:
    """Write the list, unless it is there: the same text may be packed in other bytes elsewhere."""
    text = ("\n".join(lines()) + "\n").encode()
    if not OUT.is_file() or gzip.decompress(OUT.read_bytes()) != text:
        OUT.write_bytes(gzip.compress(text, 9, mtime=0))


if __name__ == "__main__":
    main()
