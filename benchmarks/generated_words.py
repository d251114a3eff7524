"""Words, texts and values for generated runs, and how long, how many and how lucky these are."""

from __future__ import annotations

import random

TURNS = 8
OBSERVATION = 760
"""Characters of a long observation; with the short ones between them the mean is about 600."""
TASK = 4
"""Runs of one task."""
ACHIEVED = 0.15
"""Share of the runs that reach something else than they were asked for: rules accept one in 18 of the recorded failed runs."""


_SYLLABLES = (
    "ba dor fen gil har jun kel lum mor nis ost per quin ras sol tam ulv ver wyn yar zet brim cald dusk".split()
)
_NOUNS = (
    "report invoice draft ledger memo survey budget photo index plan table chart permit ticket lantern basket kettle "
    "harbour bridge garden market tower valley station museum library orchard quarry mill ferry road village"
).split()
_WORDS = (
    "the of and in to a with was is for on by from at near older small large new quiet northern first last several most "
    "opened built repaired moved closed visited painted measured counted listed sold paid sent kept shown"
).split()


class Writer:
    """Invents words, texts and values for one run."""

    def __init__(self, random_: random.Random) -> None:
        self.random = random_

    def name(self) -> str:
        """Invent a word of two or three syllables."""
        return "".join(self.random.choices(_SYLLABLES, k=self.random.choice((2, 2, 3))))

    def noun(self) -> str:
        """Choose a word."""
        return self.random.choice(_NOUNS)

    def number(self, digits: int = 4) -> int:
        """Invent a number."""
        return self.random.randrange(10 ** (digits - 1), 10**digits)

    def sentence(self) -> str:
        """Invent a sentence without sense."""
        words = [*self.random.choices(_WORDS, k=7), self.noun(), self.name().title(), self.noun()]
        self.random.shuffle(words)
        return f"{' '.join(words).capitalize()}."

    def text(self, characters: int = OBSERVATION) -> str:
        """Invent sentences of about so many characters."""
        parts: list[str] = []
        while sum(map(len, parts)) + len(parts) < characters:
            parts.append(self.sentence())
        return " ".join(parts)

    def path(self) -> str:
        """Invent the path of a file."""
        return f"/srv/{self.name()}/{self.noun()}-{self.number(3)}.{self.random.choice(('csv', 'txt', 'log', 'md'))}"

    def achieves(self) -> bool:
        """Decide whether the run achieves something."""
        return self.random.random() < ACHIEVED

    def secret(self) -> str:
        """Return what should not be trained on, in one of the shapes that logs hold."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        shapes = (
            lambda: f"contact {self.name()}.{self.name()}@{self.name()}.example",
            lambda: f"export AWS_ACCESS_KEY_ID=AKIA{''.join(self.random.choices(letters, k=16))}",
            lambda: f'password = "{self.name()}-{self.number()}!"',
            lambda: f"phone: +47 {self.number(3)} {self.number(2)} {self.number(3)}",
            lambda: f"postgres://{self.name()}:{self.name()}{self.number()}@db.{self.name()}.example/main",
        )
        return self.random.choice(shapes)()
