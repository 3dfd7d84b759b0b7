"""The network in the paper's parameters (arXiv:2310.16121, equations of docs/network.md), in floating point."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nanopelican_hls.config import NetworkConfig
from nanopelican_hls.network.batch_norm import Affine, MaskedBatchNorm, Moments, moments
from nanopelican_hls.network.execution import execute, split
from nanopelican_hls.network.fold import mixing_parameters, readout_parameters

#: mass of the top quark; d is trained in units in which S is about 1 for a top
TOP_MASS_GEV = 172.0


class FloatNetwork(nn.Module):
    """nanoPELICAN with aggregators c1 to c6, biases b and b_diag, readout k0, k1 and b0.

    Parameters
    ----------
    network : NetworkConfig
        The form; ``symmetric`` makes c4 the same parameter as c3.
    nbar : int
        The constant that normalises sums over particles.
    seed : int
        Of the initial weights.
    """

    def __init__(self, network: NetworkConfig, *, nbar: int, seed: int) -> None:
        super().__init__()
        self.network, self.nbar = network, nbar
        self.d_unit = nbar**2 / TOP_MASS_GEV**2
        self._initialise(torch.Generator().manual_seed(seed))
        self.input_norm = MaskedBatchNorm(1) if network.batch_norm else None
        self.hidden_norm = MaskedBatchNorm(network.channels) if network.batch_norm else None
        _, steps = split(network, tables=network.batch_norm)
        readout = next(i for i, step in enumerate(steps) if step.output == "pair_sum")
        self._mixing_steps, self._readout_steps = steps[:readout], steps[readout:]

    def _initialise(self, generator: torch.Generator) -> None:
        """Channels in pairs that switch on above and below the top mass, an odd one below; all else small, random."""
        channels = self.network.channels

        def small() -> nn.Parameter:
            return nn.Parameter(0.1 * torch.randn(channels, generator=generator))

        signs = torch.tensor([1.0, -1.0]).repeat(channels)[-channels:]
        self.c1, self.c2, self.c3 = small(), small(), small()
        if not self.network.symmetric:
            self.untied_c4 = small()
        self.c5, self.c6 = nn.Parameter(signs.clone()), small()
        self.b, self.b_diag = nn.Parameter(-signs), nn.Parameter(torch.zeros(channels))
        self.k0, self.k1 = nn.Parameter(-torch.ones(channels)), small()
        self.b0 = nn.Parameter(torch.tensor([0.5]))

    @property
    def c4(self) -> Tensor:
        return self.c3 if self.network.symmetric else self.untied_c4

    def forward(self, products: Mapping[str, Tensor]) -> Tensor:
        """Logits [B] from what the dataflow computes before the first weight: mask, d, [d_jet, d_jj], r, s in GeV^2."""
        tensors = dict(products)
        tensors |= mixing_parameters(self, self.input_affine(tensors))
        execute(self._mixing_steps, tensors, {})
        tensors |= readout_parameters(self, self.hidden_affine(tensors))
        execute(self._readout_steps, tensors, {})
        return tensors["logit"][:, 0]

    def input_affine(self, tensors: Mapping[str, Tensor] | None) -> Affine | None:
        """BatchNorm of d (in units of `d_unit`, the diagonal included); ``tensors`` are needed in training only."""
        if self.input_norm is None:
            return None
        result: Affine = self.input_norm(self._input_moments(tensors) if self.training and tensors else None)
        return result

    def hidden_affine(self, tensors: Mapping[str, Tensor] | None) -> Affine | None:
        """BatchNorm of the ReLU outputs, per channel."""
        if self.hidden_norm is None:
            return None
        batch = moments(tensors["pair"], tensors["diagonal"], tensors["mask"]) if self.training and tensors else None
        result: Affine = self.hidden_norm(batch)
        return result

    def _input_moments(self, tensors: Mapping[str, Tensor]) -> Moments:
        d, mask = tensors["d"], tensors["mask"]
        diagonal = torch.zeros_like(mask)
        if self.network.has_jet:
            d = torch.cat([tensors["d_jet"], d], 1)
            diagonal = torch.cat([tensors["d_jj"], diagonal[:, 1:]], 1)
        return moments(self.d_unit * d[:, :, None], self.d_unit * diagonal[:, :, None], mask)
