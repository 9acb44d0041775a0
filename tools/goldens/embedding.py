"""Embedding: row numbers of both integer types and every rank."""

import torch

_ROWS = torch.tensor([[0, 6, 3], [3, 3, 1]])

CASES = [
    ("matrix", {"type": "Embedding", "num_embeddings": 7, "embedding_dim": 5}, [_ROWS]),
    ("vector", {"type": "Embedding", "num_embeddings": 7, "embedding_dim": 1}, [_ROWS[0]]),
    ("i32", {"type": "Embedding", "num_embeddings": 7, "embedding_dim": 5}, [_ROWS.to(torch.int32)]),
    ("padding", {"type": "Embedding", "num_embeddings": 7, "embedding_dim": 3, "padding_idx": 3}, [_ROWS]),
    ("padding_from_end", {"type": "Embedding", "num_embeddings": 7, "embedding_dim": 3, "padding_idx": -1}, [_ROWS]),
    (
        "options",
        {
            "type": "Embedding",
            "num_embeddings": 7,
            "embedding_dim": 3,
            "scale_grad_by_freq": True,
            "sparse": True,
            "norm_type": 1.0,
        },
        [_ROWS],
    ),
    ("cube", {"type": "Embedding", "num_embeddings": 12, "embedding_dim": 4}, [torch.arange(12).reshape(2, 3, 2)]),
]
