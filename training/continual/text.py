"""Text to tokens: the tokenizer file, the chat template and training rows, without importing transformers.

The chat template runs in Jinja's sandbox with transformers' settings (trim and lstrip blocks); a test compares
both renderings.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from continual.errors import DataError


@dataclass
class Row:
    """One tokenised row: ids [n] and a flag per token that says whether the loss counts it."""

    ids: list[int]
    target: list[bool]
    meta: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    truncated: int = 0

    def __len__(self) -> int:
        return len(self.ids)


class Text:
    """Tokenizer and chat template of one model folder."""

    def __init__(self, folder: Path):
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise DataError(f"tokenizer.json: missing in {folder}")
        self.tok = Tokenizer.from_file(str(path))
        self.tok.no_padding()
        self.tok.no_truncation()
        config = _optional(folder / "tokenizer_config.json")
        self.special = {k: _token(config.get(k)) for k in ("bos_token", "eos_token", "pad_token", "unk_token")}
        self.template = _template(folder, config)
        self._compiled: Any = None
        self.eos = self._eos_ids(folder)

    def _eos_ids(self, folder: Path) -> list[int]:
        for name in ("generation_config.json", "config.json"):
            value = _optional(folder / name).get("eos_token_id")
            if value is not None:
                return list(value) if isinstance(value, list) else [value]
        found = self.tok.token_to_id(self.special["eos_token"] or "")
        return [] if found is None else [found]

    @property
    def eos_text(self) -> str:
        """The end token that training appends: the tokenizer's own, else the first that ends generation."""
        return self.special["eos_token"] or (self.tok.id_to_token(self.eos[0]) if self.eos else "")

    def encode(self, text: str, special: bool = False) -> list[int]:
        """Token ids; special tokens written in the text (as templates do) are always recognised."""
        return self.tok.encode(text, add_special_tokens=special).ids

    def decode(self, ids: list[int]) -> str:
        return self.tok.decode(ids, skip_special_tokens=True)

    def render(self, messages: list[dict[str, str]], generate: bool) -> str:
        """Chat text of messages [{role, content}]; with `generate` it ends where the answer starts."""
        if self.template is None:
            lines = "".join(f"{m['role']}: {m['content']}\n" for m in messages)
            return lines + ("assistant:" if generate else "")
        from jinja2 import TemplateError

        special = {k: v or "" for k, v in self.special.items()}
        try:
            return self._jinja().render(messages=messages, add_generation_prompt=generate, **special)
        except TemplateError as e:
            raise DataError(f"chat_template.jinja: {e}") from None

    def _jinja(self) -> Any:
        if self._compiled is None:
            from jinja2.sandbox import ImmutableSandboxedEnvironment

            env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
            env.globals["raise_exception"] = _raise
            env.filters["tojson"] = lambda x, **k: json.dumps(x, ensure_ascii=False, **k)
            self._compiled = env.from_string(self.template)
        return self._compiled

    def chat_ids(self, messages: list[dict[str, str]]) -> list[int]:
        """Prompt ids for generation."""
        return self.encode(self.render(messages, generate=True))

    def plain_ids(self, prompt: str) -> list[int]:
        """Prompt ids without the chat template, with the tokenizer's own leading tokens."""
        return self.encode(prompt, special=True)

    def row(self, raw: dict[str, Any], max_length: int, chat: bool = True, completion_only: bool = True) -> Row:
        """Tokenise {"messages"} | {"prompt","completion"} | {"text"}; DataError says what is wrong with it."""
        parts = self._parts(raw, chat and self.template is not None)
        ids: list[int] = []
        target: list[bool] = []
        for text, learn in parts:
            piece = self.encode(text, special=not ids and not chat)
            ids += piece
            target += [learn or not completion_only] * len(piece)
        cut = max(0, len(ids) - max_length)
        row = Row(ids[:max_length], target[:max_length], raw.get("meta") or {}, raw, cut)
        if len(row.ids) < 2 or not any(row.target[1:]):
            raise DataError("nothing to learn from: the answer is empty or lies beyond max_length")
        return row

    def _parts(self, raw: dict[str, Any], chat: bool) -> list[tuple[str, bool]]:
        if "messages" in raw:
            return self._turns(_messages(raw["messages"]))
        if "prompt" in raw or "completion" in raw:
            prompt, completion = _string(raw, "prompt"), _string(raw, "completion")
            if not completion.strip():
                raise DataError("completion is empty")
            if chat:
                return self._turns([{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}])
            return [(prompt, False), (completion + self.eos_text, True)]
        if "text" in raw:
            return [(_string(raw, "text") + self.eos_text, True)]
        raise DataError("row needs `messages`, or `prompt` and `completion`, or `text`")

    def _turns(self, messages: list[dict[str, str]]) -> list[tuple[str, bool]]:
        """Split the rendered chat into pieces; the assistant's turns are learned, up to their end token."""
        parts: list[tuple[str, bool]] = []
        done = ""
        for i, m in enumerate(messages):
            if m["role"] != "assistant":
                continue
            asked, full = self.render(messages[:i], True), self.render(messages[: i + 1], False)
            if not (asked.startswith(done) and full.startswith(asked)):
                raise DataError("the chat template rewrites earlier turns; use rows with one answer")
            answer = full[len(asked) :]
            parts += [(asked[len(done) :], False), (answer.rstrip("\n"), True)]
            done = asked + answer.rstrip("\n")
        return parts


def _messages(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not value:
        raise DataError("messages must be a list with at least one entry")
    for m in value:
        if not isinstance(m, dict) or not isinstance(m.get("role"), str) or not isinstance(m.get("content"), str):
            raise DataError("each message needs a text `role` and a text `content`")
        if m["role"] not in ("system", "user", "assistant", "tool"):
            raise DataError(f"role {m['role']!r} is not one of system, user, assistant, tool")
    if not any(m["role"] == "assistant" and m["content"].strip() for m in value):
        raise DataError("no assistant message with text to learn from")
    return value


def _string(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str):
        raise DataError(f"{key} must be text")
    return value


def _optional(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.is_file() else {}


def _token(value: Any) -> str | None:
    return value.get("content") if isinstance(value, dict) else value


def _template(folder: Path, config: dict[str, Any]) -> str | None:
    path = folder / "chat_template.jinja"
    return path.read_text() if path.is_file() else config.get("chat_template")


def _raise(message: str) -> None:
    raise DataError(f"chat template: {message}")
