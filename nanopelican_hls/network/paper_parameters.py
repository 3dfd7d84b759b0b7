"""The parameters of the paper (arXiv:2310.16121, equations in docs/network.md) and their initial values."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nanopelican_hls.config import InitialValues
from nanopelican_hls.network.batch_norm import Affine, MaskedBatchNorm, Moments
from nanopelican_hls.topology.config import Multiplicity, MultiplicityTables, NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import bias_rows, readouts, scaled_rows

#: mass of the top quark; in the units of d used for training, S is about 1 for a top
TOP_MASS_GEV = 172.0
#: weights that nPELICAN_N scales by a power of the multiplicity
SCALED = ("c2", "c3", "c4", "c5", "c6", "k0", "k1")
#: weights of the readout: [C], or [K, C] with K classes
READOUT = ("k0", "k1", "k0_spurion")


class PaperParameters(nn.Module):
    """Aggregators c1 to c6, biases b and b_diag, readout k0, k1 and b0, and BatchNorm if enabled.

    With K classes the readout has a row of weights and a bias for each: k0 and k1 [K, C], b0 [K].

    Parameters
    ----------
    network : NetworkConfig
        The form of the network. With ``symmetric`` c4 is the same parameter as c3. ``multiplicity_scaling``
        (nPELICAN_N) multiplies every aggregator except the first by ``(n / nbar)**alpha``, with learned alpha shared by
        the channels.
    nbar : int
        Normalisation constant of sums over particles.
    seed : int
        Seed of the initial weights.
    initial_values : InitialValues
        Physics-motivated values (docs/network.md), or normal random numbers as in the paper.
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
    k0_spurion: Tensor

    def __init__(self, network: NetworkConfig, *, nbar: int, seed: int, initial_values: InitialValues) -> None:
        super().__init__()
        self.network, self.nbar = network, nbar
        self.d_unit = nbar**2 / TOP_MASS_GEV**2
        generator = torch.Generator().manual_seed(seed)
        physical = initial_values is InitialValues.PHYSICS
        values = self._physical_values(generator) if physical else self._random_values(generator)
        for name, value in values.items():
            if name != "untied_c4" or not network.symmetric:
                self.register_parameter(name, nn.Parameter(value))
        if network.spurion_readout:
            self.k0_spurion = nn.Parameter(torch.zeros(self._shape("k0_spurion")))
        for name, columns in self._table_columns.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(self.table_rows, columns)))
        if network.multiplicity_scaling:
            self.alpha = nn.Parameter(torch.zeros(len(self._scaled)))
        self.input_norm = MaskedBatchNorm(1) if network.batch_norm else None
        self.hidden_norm = MaskedBatchNorm(network.channels) if network.batch_norm else None

    def _shape(self, name: str) -> tuple[int, ...]:
        """Shape of a weight."""
        rows = (len(self.network.classes),) if self.network.classes and name in READOUT else ()
        return (*rows, self.network.channels)

    def _physical_values(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Pairs of channels that turn on above and below the top mass, an odd one below; the rest small and random.

        The channels above count pairs whose product is small compared with their row sums: most pairs in a jet with one
        hard prong and soft radiation, fewer in a jet with three prongs. Classes begin with random weights of that size.
        """
        channels = self.network.channels
        names = ("c1", "c2", "c3", "untied_c4", "c6", "k1")
        values = {name: 0.1 * torch.randn(self._shape(name), generator=generator) for name in names}
        signs = torch.tensor([1.0, -1.0]).repeat(channels)[-channels:]
        above = (signs > 0).float()
        values["c1"] += -3 * above
        values["c3"] += 0.75 * above
        values["untied_c4"] += 0.75 * above
        # with the jet in addition to its constituents the sum of all momenta is twice that of the jet
        top = 4.0 if self.network.spurions is Spurions.JET else 1.0
        classes = self.network.classes
        k0 = torch.randn(self._shape("k0"), generator=generator) if classes else -torch.ones(channels)
        values |= {"c5": signs, "b": -top * signs, "b_diag": torch.zeros(channels), "k0": k0 / top}
        values["k1"] /= top
        return values | {"b0": torch.zeros(len(classes)) if classes else torch.tensor([0.5])}

    def _random_values(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Normal weights with variance 2 / fan-in of each linear map; zero biases."""
        channels = self.network.channels
        variances = dict.fromkeys(("c1", "c2", "c3", "untied_c4", "c5", "c6"), 2 / 6)
        variances |= dict.fromkeys(("k0", "k1"), 2 / (2 * channels))
        values = {name: v**0.5 * torch.randn(self._shape(name), generator=generator) for name, v in variances.items()}
        b0 = torch.zeros(len(readouts(self.network)))
        return values | {"b": torch.zeros(channels), "b_diag": torch.zeros(channels), "b0": b0}

    @property
    def tables(self) -> bool:
        """Whether the biases in the hardware form depend on the number of valid particles."""
        return self.network.batch_norm or self.network.multiplicity is Multiplicity.VALID

    @property
    def table_rows(self) -> int:
        """Rows of the tables over the multiplicity that are trained."""
        return bias_rows(self.network, tables=self.tables, readout=True)

    @property
    def _table_columns(self) -> dict[str, int]:
        """Columns of each trained table: on b0, and with `tables: all` on b and b + b_diag as well."""
        if self.network.multiplicity is Multiplicity.NONE:
            return {}
        mixes = self.network.multiplicity_tables is MultiplicityTables.ALL
        return {"b0_table": len(readouts(self.network))} | (
            dict.fromkeys(("b_table", "b_diag_table"), self.network.channels) if mixes else {}
        )

    def table(self, name: str) -> Tensor | float:
        """A trained table over the multiplicity, [T, C], that of b0 [T, K]; 0.0 if the network has none."""
        found: Tensor | float = getattr(self, name) if name in self._table_columns else 0.0
        return found

    def of_readout(self, name: str, readout: int) -> Tensor:
        """The weights [C] of one logit, by its position: a row of k0, k1 or k0_spurion."""
        weights: Tensor = getattr(self, name)
        return weights.view(-1, self.network.channels)[readout]

    @property
    def c4(self) -> Tensor:
        return self.c3 if self.network.symmetric else self.untied_c4

    @property
    def _scaled(self) -> tuple[str, ...]:
        """Weights with their own exponent; in the symmetric form c4 is c3."""
        return tuple(name for name in SCALED if name != "c4" or not self.network.symmetric)

    def multiplicity_factor(self, name: str) -> Tensor | float:
        """``(n / nbar)**alpha`` of weight ``name`` for n = 0 ... M, [M + 1, 1]; 1.0 without multiplicity scaling.

        With `multiplicity: jet`, n is the centre of each bin, [T, 1]. n = 0 uses the factor of n = 1, since no sum has
        any entries then.
        """
        if not self.network.multiplicity_scaling:
            return 1.0
        name = "c3" if name not in self._scaled else name
        exponent = self.alpha[self._scaled.index(name)]
        (rows,) = scaled_rows(self.network)
        n = torch.arange(rows, dtype=exponent.dtype, device=exponent.device)
        if self.network.multiplicity is Multiplicity.JET:
            bins = self.network.multiplicity_bins
            n = bins.low + bins.width * n + (bins.width - 1) / 2
        return (n.clamp(min=1) / self.nbar)[:, None] ** exponent

    def input_affine(self, batch: Moments | None = None) -> Affine | None:
        """BatchNorm of d (in units of `d_unit`, diagonal included), or None; ``batch`` is used in training only."""
        result: Affine | None = None if self.input_norm is None else self.input_norm(batch)
        return result

    def hidden_affine(self, batch: Moments | None = None) -> Affine | None:
        """BatchNorm of the ReLU outputs, per channel, or None."""
        result: Affine | None = None if self.hidden_norm is None else self.hidden_norm(batch)
        return result
