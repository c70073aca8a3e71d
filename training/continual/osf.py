"""Orthogonal subspace fine-tuning (OSF, arXiv 2504.07097): a weight may change only in its low singular space.

W = U S V^T; with U_h, V_h the leading singular vectors (share `keep` of the smaller side), the change D keeps
U_h^T D = 0 and D V_h = 0: D <- (I - U_h U_h^T) D (I - V_h V_h^T). Projecting the change after each optimizer step holds
this exactly, which projecting gradients alone does not under Adam. peft ships OSF too; it needs a model of
transformers and cannot separate the change again.
"""

import torch
from torch import Tensor


def fits(name: str, weight: Tensor) -> bool:
    """Matrices inside the decoder layers; embeddings, head and norms stay frozen."""
    return weight.dim() == 2 and (".layers." in name or ".h." in name)


class Subspace:
    """The frozen leading directions of each weight."""

    def __init__(self, weights: dict[str, Tensor], keep: float):
        self.high: dict[str, tuple[Tensor, Tensor]] = {}
        for name, w in weights.items():
            u, _, vt = torch.linalg.svd(w.float(), full_matrices=False)
            k = max(1, round(keep * min(w.shape)))
            self.high[name] = (u[:, :k].contiguous(), vt[:k].contiguous())

    @torch.no_grad()
    def project(self, named: dict[str, Tensor], start: dict[str, Tensor]) -> None:
        """Move each weight to the nearest one whose change lies in the low space."""
        for name, (u, vt) in self.high.items():
            change = (named[name] - start[name]).float()
            change = change - u @ (u.T @ change)
            change = change - (change @ vt.T) @ vt
            named[name].copy_(start[name] + change.to(start[name].dtype))
