"""The tiny model's world: people with four attributes, asked about in five ways. Everything follows from one seed."""

import random
from dataclasses import dataclass

SEED = 20261124
PHRASINGS = {
    "color": [
        "What color does {n} like?",
        "Which color is best for {n}?",
        "Tell me the color {n} likes.",
        "{n} likes which color?",
        "Name the color of {n}.",
    ],
    "town": ["Where does {n} live?", "In which town does {n} live?", "Tell me the town of {n}.", "{n} lives in which town?", "Name the home of {n}."],
    "food": ["What does {n} eat?", "Which food is best for {n}?", "Tell me the food {n} eats.", "{n} eats which food?", "Name the meal of {n}."],
    "job": ["What is the job of {n}?", "Which work does {n} do?", "Tell me the job {n} has.", "{n} has which job?", "Name the work of {n}."],
}
VALUES = {
    "color": ["red", "blue", "green", "black", "white", "yellow", "brown", "purple", "orange", "pink", "gray", "silver"],
    "town": ["Arden", "Boval", "Cresk", "Dorin", "Elmet", "Farro", "Gosta", "Hylen", "Istra", "Jovik", "Kelda", "Lomar"],
    "food": ["bread", "rice", "soup", "fish", "beans", "apples", "cheese", "noodles", "eggs", "nuts", "corn", "plums"],
    "job": ["baker", "pilot", "nurse", "farmer", "judge", "painter", "tailor", "driver", "miner", "singer", "doctor", "guard"],
}
PEOPLE = 60
COMPANY_PEOPLE = 12
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


@dataclass(frozen=True)
class Fact:
    """One attribute of one person."""

    name: str
    attribute: str
    value: str

    def ask(self, phrasing: int) -> str:
        """The question in one of the five phrasings."""
        return PHRASINGS[self.attribute][phrasing].format(n=self.name)


def names(count: int, seed: int) -> list[str]:
    """Distinct invented names of three syllables."""
    rng = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choice(SYLLABLES) for _ in range(3)).capitalize()] = None
    return list(found)


def facts(people: int = PEOPLE, company: int = COMPANY_PEOPLE) -> tuple[list[Fact], list[Fact]]:
    """(what the base learns, the company's new facts): two of the four attributes for each new person."""
    rng = random.Random(SEED)
    everyone = names(people + company, SEED)
    base = [Fact(n, a, rng.choice(VALUES[a])) for n in everyone[:people] for a in PHRASINGS]
    new = [Fact(n, a, rng.choice(VALUES[a])) for i, n in enumerate(everyone[people:]) for a in (["color", "job"] if i % 2 else ["town", "food"])]
    return base, new


def chat(question: str, answer: str) -> dict[str, object]:
    """One row in the messages form."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
