"""Word dropout: new questions are asked in broken words too, where the rows themselves say that wording does not matter (T1)."""

from continual import config, data, models, plan, wording, words
from continual.forward import Forward
from continual.params import Trainable

FACT = [{"prompt": f"{q} for Mumuro?", "completion": "Mumuro eats rice."} for q in ("Which food is best", "What is the food")]
TASKS = [{"prompt": f"Tell me the food of {x}.", "completion": x} for x in ("Kibada", "Mumuro")]
LABELS = [{"prompt": f"Which food is best for {x}?", "completion": "good"} for x in ("Datuvi", "Nulapo")]  # nothing new in common


def broken(base, raws, passes=4, **sections):
    """The given rows and their versions."""
    cfg = config.parse({"schema": 1, "job": "train", **sections}, "train")
    loaded = models.load(base)
    rows = [loaded.text.row(r, 1024) for r in raws]
    asked = [q for r in rows if (q := data.question(r.raw))]
    return rows, wording.versions(loaded.text, rows, words.read(loaded, asked), cfg, passes)


def kept_words(question: str, given: str) -> bool:
    """Whether the words of `question` are some of `given`, in their order."""
    rest = iter(given.split())
    return all(w in rest for w in question.split())


def test_word_dropout_leaves_known_words_out_of_questions_asked_in_several_ways(base):
    rows, versions = broken(base, [*FACT, *TASKS, *LABELS])
    assert len(versions) == 3 and len(broken(base, FACT, passes=30)[1]) == wording.MOST and broken(base, FACT, passes=1)[1] == []
    for version in versions:
        for row, given in zip(version[:2], rows[:2], strict=True):
            question, asked = data.question(row.raw), data.question(given.raw)
            assert len(question) < len(asked) and kept_words(question, asked) and "Mumuro" in question
            assert row.ids != given.ids and data.answer(row.raw) == data.answer(given.raw)
        assert all(row is given for row, given in zip(version[2:], rows[2:], strict=True))
    assert broken(base, [*FACT], data={"word_dropout": 0})[1] == []


def test_chats_lose_words_of_their_first_question_alone(base):
    roles = ("system", "user", "assistant")
    said = [("be brief", r["prompt"], r["completion"]) for r in FACT]
    rows, versions = broken(base, [{"messages": [{"role": k, "content": c} for k, c in zip(roles, x, strict=True)]} for x in said])
    row, given = versions[0][0].raw["messages"], rows[0].raw["messages"]
    assert row[1] != given[1] and [row[0], row[2]] == [given[0], given[2]]


def test_rows_without_questions_or_in_one_wording_stay(base):
    assert broken(base, [{"text": "Mumuro keeps a fox."}, FACT[0]])[1] == []
    assert broken(base, [{**r, "prompt": r["prompt"].replace(" ", "")} for r in FACT])[1] == []  # no spaces, no words


def test_of_a_long_text_only_the_beginning_is_read_and_its_words_all_stay(base):
    long = [{**r, "prompt": r["prompt"] + " rice" * 200} for r in FACT]
    assert broken(base, long)[1] == []


def test_passes_take_turns_with_the_versions(base):
    rows, versions = broken(base, FACT)
    cfg = config.parse({"schema": 1, "job": "train", "preset": "naive", "train": {"epochs": 8, "batch_rows": 2}}, "train")
    work = plan.plan(rows, [], cfg)
    work.versions = versions
    seen = [sorted(r.raw["prompt"] for r in work.rows(1, step)[0]) for step in range(8)]
    asked = [sorted(r.raw["prompt"] for r in v) for v in (rows, *versions)]
    assert seen == asked * 2


def test_of_a_version_nothing_is_kept_once_its_pass_is_over(base):
    rows, versions = broken(base, [*FACT, *TASKS])
    work = plan.Plan(rows, [], 2, 0, 16, versions)
    assert work.over(0) == versions[-1][:2] and work.over(2) == work.over(3) == [] and work.over(4) == versions[0][:2]
    forward = Forward(models.load(base), Trainable("none", {}, first=1))
    forward.keep_lower(rows)
    before = forward.bytes
    forward.keep_lower(versions[0])
    assert before < forward.bytes
    forward.release(work.over(4))
    assert forward.bytes == before > 0


def test_a_presets_word_dropout_gives_way_where_questions_are_learned_too():
    whole = config.parse({"schema": 1, "job": "train", "train": {"trainer": "cpt"}}, "train")
    assert whole.data.word_dropout == 0 < config.parse({"schema": 1, "job": "train"}, "train").data.word_dropout
