"""The oracle of the float network: its equations with full M x M arrays."""

from __future__ import annotations

import numpy as np
import torch

from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.straightforward import straightforward_logits


def reference_logits(net: FloatNetwork, ports) -> np.ndarray:
    """Logits [B] of a float network with its tracked BatchNorm statistics, in the precision of its parameters."""
    with torch.no_grad():
        return straightforward_logits(net, ports).numpy()
