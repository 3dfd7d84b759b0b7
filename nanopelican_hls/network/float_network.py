"""The network in the paper's parameters (arXiv:2310.16121, equations of docs/network.md), in floating point."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import dropout

from nanopelican_hls.config import InitialValues
from nanopelican_hls.network.batch_norm import Moments
from nanopelican_hls.network.fold import mixing_parameters, readout_parameters
from nanopelican_hls.network.interpreter import around, execute, joined_logits, split
from nanopelican_hls.network.pair_level import CHAIN, PairSettings, PairSums, pair_sums
from nanopelican_hls.network.paper_parameters import PaperParameters
from nanopelican_hls.network.random_bits import kept_factors, uniform_int16
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.spurion_sum import SpurionSum
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import SPURION_QUANTISERS


class FloatNetwork(PaperParameters):
    """nanoPELICAN, from products to logits.

    Parameters
    ----------
    network, nbar, seed, initial_values
        As for `PaperParameters`.
    dropout : float
        Dropout probability in training, of a product and of a ReLU output of a channel.
    """

    def __init__(
        self,
        network: NetworkConfig,
        *,
        nbar: int,
        seed: int,
        initial_values: InitialValues = InitialValues.PHYSICS,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(network, nbar=nbar, seed=seed, initial_values=initial_values)
        self.dropout = dropout
        _, steps = split(network, tables=self.tables)
        self._pairs = around(steps, CHAIN)

    def forward(self, products: Mapping[str, Tensor]) -> Tensor:
        """Logits [B] or [B, K] from `square_products`: ``mask`` [B, M] and ``square`` [B, M, M] in GeV^2."""
        mask, square = products["mask"], self._dropped(products["square"])
        rows = square.sum(2)
        tensors = {"mask": mask, "r": rows, "s": rows.sum(1, keepdim=True)}
        if self.network.spurion is not None:
            tensors[SPURION_QUANTISERS[self.network.spurion][2]] = square[:, :1, 0]
        if "multiplicity_bin" in products:
            tensors["multiplicity_bin"] = products["multiplicity_bin"]
        norm = self.input_affine(self._input_moments(square, mask))
        tensors |= mixing_parameters(self, norm)
        execute(self._pairs.before, tensors, {})
        mix, _ = self._pairs.chain
        row, w_d = (tensors[mix.given[name]] for name in ("row", "w_d"))
        column = tensors[mix.given["column"]] if "column" in mix.given else row
        settings = PairSettings(squares=self._tracks, dropout=self._rate, apart=SpurionSum in self._pairs.ends)
        sums = pair_sums(square, row, column, w_d, mask, settings)
        norm = self.hidden_affine(self._hidden_moments(sums, tensors["diagonal"], mask))
        tensors |= readout_parameters(self, norm)
        tensors[self._pairs.ends[PairSum].output] = sums.kept
        if SpurionSum in self._pairs.ends:
            tensors[self._pairs.ends[SpurionSum].output] = sums.apart
        tensors["diagonal"] = dropout(tensors["diagonal"], self._rate)
        execute(self._pairs.after, tensors, {})
        return joined_logits(self.network, tensors)

    @property
    def _tracks(self) -> bool:
        """Whether BatchNorm uses the statistics of the batch."""
        return self.training and self.network.batch_norm

    def _input_moments(self, square: Tensor, mask: Tensor) -> Moments | None:
        if not self._tracks:
            return None
        entries = square.flatten()
        total, squares = self.d_unit * entries.sum(), self.d_unit**2 * torch.dot(entries, entries)
        return Moments(total[None], squares[None], _entries(mask))

    def _hidden_moments(self, sums: PairSums, diagonal: Tensor, mask: Tensor) -> Moments | None:
        if not self._tracks:
            return None
        valid = diagonal * mask[:, :, None]
        total = sums.total.sum(0) + valid.sum((0, 1))
        return Moments(total, sums.squares.sum(0) + valid.square().sum((0, 1)), _entries(mask))

    @property
    def _rate(self) -> float:
        return self.dropout if self.training else 0.0

    def _dropped(self, square: Tensor) -> Tensor:
        """Dropout of products, always of both entries of a pair, so that d stays symmetric."""
        if not self._rate:
            return square
        uniform = uniform_int16(square.shape, square.device)
        # the sum of two uniform numbers is uniform modulo 2**16, and here it is symmetric
        return kept_factors(uniform + uniform.transpose(1, 2), self._rate, square.dtype).mul_(square)


def _entries(mask: Tensor) -> Tensor:
    """Number of valid entries (i, j) in a batch."""
    return mask.sum(1).square().sum()
