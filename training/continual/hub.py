"""Models by hub id (`org/name`, or `org/name@revision`): fetched once into Hugging Face's own cache, safetensors only (M3).

HF_ENDPOINT names another hub, HF_HOME another cache, HF_TOKEN opens gated models, HF_HUB_OFFLINE=1 forbids the network.
"""

import re
from pathlib import Path

from continual.errors import ConfigError

ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")
# What `manifest.is_served` knows plus the index of sharded weights; pickled weights and code are never fetched.
FILES = ["*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "special_tokens_map.json"]
FILES += ["tokenizer*", "chat_template*"]


def is_id(name: str) -> bool:
    """Whether the text can be a hub id."""
    return ID.fullmatch(name) is not None


def model(name: str | Path, what: str = "--model") -> Path:
    """The model's folder: `name` itself where such a folder exists, else the snapshot of that hub id."""
    if Path(name).exists():
        return Path(name)
    if not is_id(str(name)):
        raise ConfigError(f"{what}: {name} is no folder here and no hub id (ORGANIZATION/NAME); give a model folder or such an id")
    return fetch(str(name), what)


def fetch(name: str, what: str = "--model") -> Path:
    """Download a hub id's snapshot, or take it from the cache; ConfigError says what to do when that fails."""
    from huggingface_hub import constants, snapshot_download

    repo, _, revision = name.partition("@")
    try:
        folder = Path(snapshot_download(repo, revision=revision or None, allow_patterns=FILES, ignore_patterns=["*/*"]))
    except Exception as e:  # the client's many errors, its HTTP library's and the disk's have one answer
        reason = " ".join(str(e).split())[:300] or type(e).__name__
        raise ConfigError(
            f"{what}: {name} could not be fetched from {constants.ENDPOINT} ({type(e).__name__}: {reason}). Check the id and the network "
            f"(HF_ENDPOINT names a mirror, HF_TOKEN opens gated models), or fetch it where there is a network "
            f"(`hf download {repo} --local-dir DIR`) and give the folder DIR"
        ) from None
    if not list(folder.glob("*.safetensors")):
        raise ConfigError(f"{what}: {name} has no safetensors weights, the only kind that is loaded; choose another revision or convert it")
    return folder


def build(name: str, out: Path) -> bool:
    """Make a model folder with a manifest of a hub id, for registration; False when a valid one is there already."""
    import shutil

    from continual import manifest

    source = f"hub:{name}"
    if not is_id(name):
        raise ConfigError(f"model: {name} is neither tiny, smol nor a hub id (ORGANIZATION/NAME)")
    if manifest.is_valid(out, source=source):
        return False
    folder = fetch(name, "model")
    out.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_file():
            shutil.copyfile(path, out / path.name)
    manifest.write_manifest(out, source=source, revision=folder.name)
    return True
