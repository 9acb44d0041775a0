"""How long each stage may take."""

import time


class Deadline:
    def __init__(self, seconds, clock=time.monotonic):
        self.clock, self.end = clock, clock() + seconds

    def left(self):
        return max(0.0, self.end - self.clock())


class Budget:
    """`shares`: the stages in their order, each with its weight. A stage has its part of what is left when it begins, so
    that what one leaves goes to those after it."""

    def __init__(self, seconds, shares, clock=time.monotonic):
        self.clock, self.shares = clock, dict(shares)
        self.whole = Deadline(seconds, clock)

    def begin(self, stage):
        stages = list(self.shares)
        later = sum(self.shares[name] for name in stages[stages.index(stage):])  # fmt: skip
        return Deadline(self.whole.left() * self.shares[stage] / later, self.clock)
