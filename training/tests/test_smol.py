"""SmolLM2 from its wheel: conversion, golden tokens, a right answer."""

import json

import pytest

from continual import manifest, models, smol
from continual.errors import DataError
from continual.generate import Request, generate


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("smol") / "model"
    assert smol.build(out)
    return out


def test_converted_model_answers_and_is_not_made_twice(folder):
    assert not smol.build(folder)
    loaded = models.load(folder)
    request = Request(loaded.text.chat_ids([{"role": "user", "content": "What is the capital of France?"}]), 16, stop_ids=frozenset(loaded.text.eos))
    generate(loaded.model, [request])
    assert loaded.text.decode(request.out) == "The capital of France is Paris." and request.done == "stop"
    assert manifest.verify(folder) == manifest.read_manifest(folder)["digest"]


def test_a_tokenizer_that_gives_other_tokens_is_refused(folder):
    smol.check_tokens(folder)
    path = folder / "tokenizer.json"
    raw = path.read_text()
    changed = json.loads(raw)
    changed["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = True
    path.write_text(json.dumps(changed))
    with pytest.raises(DataError, match="'2025' gives"):
        smol.check_tokens(folder)
    path.write_text(raw)


def test_chat_template_renders_as_transformers_does(folder):
    from transformers import AutoTokenizer

    theirs, ours = AutoTokenizer.from_pretrained(folder), models.Text(folder)
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi 2025"}]
    text = theirs.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    assert ours.render(chat, True) == text and ours.chat_ids(chat) == theirs(text, add_special_tokens=False)["input_ids"]
