"""Write pkg/asl/sdk/actions.txt.gz: every API action behind Step Functions' aws-sdk integrations.

Usage: python scripts/gen/sdk_actions.py   (in an environment with botocore; .cache/moto has it, pinned)

One line per service: its name in the SDK for Java 2.x, which Step Functions uses (the service id in lower
case without spaces, hyphens and a last word "Service"), then its actions in camel case.
"""

import gzip
from pathlib import Path

import botocore.session

OUT = Path(__file__).resolve().parents[2] / "pkg" / "asl" / "sdk" / "actions.txt.gz"


def lines() -> list[str]:
    """Give one line per service, in order of names."""
    session = botocore.session.get_session()
    found: dict[str, set[str]] = {}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        name = str(model.service_id).removesuffix(" Service").lower().replace(" ", "").replace("-", "")
        found.setdefault(name, set()).update(op[0].lower() + op[1:] for op in model.operation_names)
    return [" ".join([name, *sorted(actions)]) for name, actions in sorted(found.items())]


def main() -> None:
    """Write the list, unless it is there: the same text may be packed in other bytes elsewhere."""
    text = ("\n".join(lines()) + "\n").encode()
    if not OUT.is_file() or gzip.decompress(OUT.read_bytes()) != text:
        OUT.write_bytes(gzip.compress(text, 9, mtime=0))


if __name__ == "__main__":
    main()
