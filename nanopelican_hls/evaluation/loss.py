"""The loss that training minimises and by which seeds, epochs and scales are chosen."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, labels: Tensor, *, reduction: str = "mean") -> Tensor:
    """Cross entropy of a batch.

    Parameters
    ----------
    logits : Tensor [b] or [b, K]
        Of signal against background, of which the sigmoid is taken; or of K classes, of which the softmax is.
    labels : Tensor [b]
        1 = signal, or positions of classes; of any type.
    reduction : str
        ``mean`` or ``sum``, over the jets.
    """
    if logits.dim() == 1:
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction=reduction)
    return functional.cross_entropy(logits, labels.long(), reduction=reduction)
