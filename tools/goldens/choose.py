"""Seeded choices for families that cover their options at random."""

import random


def per_dim(rng, rank, low, high):
    """One integer for all dimensions, or a list with one for each."""
    if rng.random() < 0.5:
        return rng.randint(low, high)
    return [rng.randint(low, high) for _ in range(rank)]


def at(value, i):
    return value[i] if isinstance(value, list) else value


def generator(seed):
    return random.Random(seed)
