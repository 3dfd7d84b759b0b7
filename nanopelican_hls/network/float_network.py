"""The network in the paper's parameters (arXiv:2310.16121, equations of docs/network.md), in floating point."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from nanopelican_hls.config import InitialValues
from nanopelican_hls.network.batch_norm import Affine, MaskedBatchNorm, Moments
from nanopelican_hls.network.fold import mixing_parameters, readout_parameters
from nanopelican_hls.network.interpreter import around, execute, split
from nanopelican_hls.network.pair_level import REPLACED, PairSettings, PairSums, pair_sums
from nanopelican_hls.network.random_bits import kept_factors, uniform_int16
from nanopelican_hls.operators.particle_mix import table_row
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import outputs

#: mass of the top quark; d is trained in units in which S is about 1 for a top
TOP_MASS_GEV = 172.0
#: weights that nPELICAN_N scales by a power of the multiplicity
SCALED = ("c2", "c3", "c4", "c5", "c6", "k0", "k1")


class FloatNetwork(nn.Module):
    """nanoPELICAN with aggregators c1 to c6, biases b and b_diag, readout k0, k1 and b0.

    Parameters
    ----------
    network : NetworkConfig
        The form. ``symmetric`` makes c4 the same parameter as c3. ``multiplicity_scaling`` (nPELICAN_N) multiplies
        every aggregator but the first by ``(n / nbar)**alpha``, alpha learned and shared by the channels.
    nbar : int
        The constant that normalises sums over particles.
    seed : int
        Of the initial weights.
    initial_values : InitialValues
        Physical ones (docs/network.md), or normal random numbers as in the paper.
    dropout : float
        In training, the probability with which a product, and a ReLU output of a channel, is left out.
    """

    c1: Tensor
    c2: Tensor
    c3: Tensor
    untied_c4: Tensor
    c5: Tensor
    c6: Tensor
    b: Tensor
    b_diag: Tensor
    k0: Tensor
    k1: Tensor
    b0: Tensor
    alpha: Tensor

    def __init__(
        self,
        network: NetworkConfig,
        *,
        nbar: int,
        seed: int,
        initial_values: InitialValues = InitialValues.PHYSICS,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.network, self.nbar, self.dropout = network, nbar, dropout
        self.d_unit = nbar**2 / TOP_MASS_GEV**2
        generator = torch.Generator().manual_seed(seed)
        physical = initial_values is InitialValues.PHYSICS
        values = self._physical_values(generator) if physical else self._random_values(generator)
        for name, value in values.items():
            if name != "untied_c4" or not network.symmetric:
                self.register_parameter(name, nn.Parameter(value))
        if network.multiplicity_scaling:
            self.alpha = nn.Parameter(torch.zeros(len(self._scaled)))
        self.input_norm = MaskedBatchNorm(1) if network.batch_norm else None
        self.hidden_norm = MaskedBatchNorm(network.channels) if network.batch_norm else None
        _, steps = split(network, tables=self.tables)
        self._mixing_steps, self._pair_steps, self._readout_steps = around(steps, REPLACED)
        (self._output,) = outputs(network)

    def _physical_values(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Channels in pairs that switch on above and below the top mass, an odd one below; all else small, random.

        Those above count pairs whose product is small beside their row sums: in a jet of one hard prong and soft
        radiation most are, in one of three prongs fewer.
        """
        channels = self.network.channels
        names = ("c1", "c2", "c3", "untied_c4", "c6", "k1")
        values = {name: 0.1 * torch.randn(channels, generator=generator) for name in names}
        signs = torch.tensor([1.0, -1.0]).repeat(channels)[-channels:]
        above = (signs > 0).float()
        values["c1"] += -3 * above
        values["c3"] += 0.75 * above
        values["untied_c4"] += 0.75 * above
        # with the jet beside its constituents the sum of all momenta is twice the jet's
        top = 4.0 if self.network.has_jet else 1.0
        values |= {"c5": signs, "b": -top * signs, "b_diag": torch.zeros(channels), "k0": -torch.ones(channels) / top}
        values["k1"] /= top
        return values | {"b0": torch.tensor([0.5])}

    def _random_values(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Normal weights of variance 2 over the number of inputs of a linear map; biases of 0."""
        channels = self.network.channels
        variances = dict.fromkeys(("c1", "c2", "c3", "untied_c4", "c5", "c6"), 2 / 6)
        variances |= dict.fromkeys(("k0", "k1"), 2 / (2 * channels))
        values = {name: var**0.5 * torch.randn(channels, generator=generator) for name, var in variances.items()}
        return values | {"b": torch.zeros(channels), "b_diag": torch.zeros(channels), "b0": torch.zeros(1)}

    @property
    def tables(self) -> bool:
        """Whether the biases of the hardware's form depend on the number of valid particles."""
        return self.network.batch_norm or self.network.multiplicity_scaling

    @property
    def c4(self) -> Tensor:
        return self.c3 if self.network.symmetric else self.untied_c4

    @property
    def _scaled(self) -> tuple[str, ...]:
        """Weights with an exponent of their own; in the symmetric form c4 is c3."""
        return tuple(name for name in SCALED if name != "c4" or not self.network.symmetric)

    def multiplicity_factor(self, name: str) -> Tensor | float:
        """``(n / nbar)**alpha`` of weight ``name`` for n = 0 ... M, [M + 1, 1]; 1.0 without multiplicity scaling.

        n = 0 takes the factor of n = 1: no sum has an entry then.
        """
        if not self.network.multiplicity_scaling:
            return 1.0
        name = "c3" if name not in self._scaled else name
        exponent = self.alpha[self._scaled.index(name)]
        n = torch.arange(self.network.particles + 1, dtype=exponent.dtype, device=exponent.device).clamp(min=1)
        return (n / self.nbar)[:, None] ** exponent

    def forward(self, products: Mapping[str, Tensor]) -> Tensor:
        """Logits [B] from `square_products`: ``mask`` [B, M] and ``square`` [B, M, M] in GeV^2."""
        mask, square = products["mask"], self._dropped(products["square"])
        rows = square.sum(2)
        tensors = {"mask": mask, "r": rows, "s": rows.sum(1, keepdim=True)}
        if self.network.has_jet:
            tensors["d_jj"] = square[:, :1, 0]
        norm = self.input_affine(self._input_moments(square, mask))
        tensors |= self._of_jets(mixing_parameters(self, norm), mask)
        execute(self._mixing_steps, tensors, {})
        mix, _, total = self._pair_steps
        row, w_d = (tensors[mix.given[name]] for name in ("row", "w_d"))
        column = tensors[mix.given["column"]] if "column" in mix.given else row
        settings = PairSettings(squares=self._tracks, dropout=self._rate)
        sums = pair_sums(square, row, column, w_d, mask, settings)
        norm = self.hidden_affine(self._hidden_moments(sums, tensors["diagonal"], mask))
        tensors |= self._of_jets(readout_parameters(self, norm), mask)
        tensors[total.output] = sums.kept
        tensors["diagonal"] = dropout(tensors["diagonal"], self._rate)
        execute(self._readout_steps, tensors, {})
        return tensors[self._output][:, 0]

    def input_affine(self, batch: Moments | None = None) -> Affine | None:
        """BatchNorm of d (in units of `d_unit`, the diagonal included), if there is one; a batch is for training."""
        result: Affine | None = None if self.input_norm is None else self.input_norm(batch)
        return result

    def hidden_affine(self, batch: Moments | None = None) -> Affine | None:
        """BatchNorm of the ReLU outputs, per channel, if there is one."""
        result: Affine | None = None if self.hidden_norm is None else self.hidden_norm(batch)
        return result

    @property
    def _tracks(self) -> bool:
        """Whether BatchNorm looks at the batch."""
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
        """Dropout of products: both entries of a pair, for d stays symmetric."""
        if not self._rate:
            return square
        uniform = uniform_int16(square.shape, square.device)
        # modulo 2**16 the sum of two uniform numbers is uniform, and here it is symmetric
        return kept_factors(uniform + uniform.transpose(1, 2), self._rate, square.dtype).mul_(square)

    def _of_jets(self, parameters: dict[str, Tensor], mask: Tensor) -> dict[str, Tensor]:
        """Weights that depend on the multiplicity become those of each jet; operators choose bias rows themselves."""
        if not self.network.multiplicity_scaling:
            return parameters
        weights = {name: w for name, w in parameters.items() if w.dim() == 2 and not name.endswith("bias")}
        chosen = {name: table_row(mask, w) for name, w in weights.items()}
        # a weight of r stands beside particles
        return parameters | {n: w[:, None] if n.endswith("w_r") else w for n, w in chosen.items()}


def _entries(mask: Tensor) -> Tensor:
    """Number of valid entries (i, j) in a batch."""
    return mask.sum(1).square().sum()
