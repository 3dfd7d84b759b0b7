"""LorentzNet (arXiv:2201.08187) at the size of arXiv:2310.16121, Table 1: n_hidden = 3, 120 parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nanopelican_hls.baselines.base import Baseline
from nanopelican_hls.jets import Jets

#: maximum number of constituents
CONSTITUENTS = 80
#: the two beams, with a mass of 1 GeV as in the reference implementation; they come first
BEAMS = ((2**0.5, 0.0, 0.0, 1.0), (2**0.5, 0.0, 0.0, -1.0))
#: scalars of a particle: psi(mass) for a constituent, psi(mass) for a beam, the other 0
SCALARS = 2
#: jets evaluated at once: their 160,000 edges fit in the cache
EVALUATED_AT_ONCE = 64
METRIC = (1.0, -1.0, -1.0, -1.0)


@dataclass(frozen=True, eq=False)
class Particles:
    """The particles present in all jets of a batch, V in total, concatenated; and the edges between them.

    ``jet`` [V] is the jet of each particle, ``is_beam`` [V] whether it is a beam, ``partners`` [V] the number of other
    particles in its jet. Edges lead from every other particle of the jet, ``sender`` [2 P], to each, ``receiver`` [2
    P]; the second half of the edges are those of the first half, reversed.
    """

    jet: Tensor
    is_beam: Tensor
    partners: Tensor
    receiver: Tensor
    sender: Tensor

    @classmethod
    def present(cls, there: Tensor) -> Particles:
        """From a mask [b, M] of the particles present, beams included."""
        jet, place = there.nonzero(as_tuple=True)
        count = there.sum(dim=1)
        pairs = count * (count - 1) // 2
        # row i of the lower triangle holds the pairs of particle i with earlier ones, so the first rows are all pairs
        # of a smaller jet
        late, early = torch.tril_indices(there.shape[1], there.shape[1], -1, device=there.device)
        index = torch.arange(int(pairs.sum()), device=there.device) - (pairs.cumsum(0) - pairs).repeat_interleave(pairs)
        start = (count.cumsum(0) - count).repeat_interleave(pairs)
        early, late = early[index] + start, late[index] + start
        return cls(jet, place < len(BEAMS), count[jet] - 1, torch.cat([early, late]), torch.cat([late, early]))

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Both particles [P] of each unordered pair: the first half of the edges."""
        half = len(self.receiver) // 2
        return self.receiver[:half], self.sender[:half]

    def received(self, messages: Tensor) -> Tensor:
        """Sums [c, V] per particle of the messages [c, 2 P] along its edges."""
        return messages.new_zeros(len(messages), len(self.jet)).index_add(1, self.receiver, messages)


class LorentzNet(Baseline):
    """Lorentz-group-equivariant message passing between all pairs of constituents and beams.

    Arrays are channels first, [channels, particles] and [channels, edges]: the other way round, three channels are too
    few for an efficient matrix product. Whatever depends on one particle is computed once per particle, and products
    once per unordered pair; padding is never processed.

    Parameters
    ----------
    hidden : int
        Number of channels, everywhere.
    blocks : int
        Number of LGEB blocks. All but the last update the momenta.
    """

    name = "lorentznet"
    title = "LorentzNet, n_hidden = 3"
    learning_rate = 3e-2

    def __init__(self, hidden: int = 3, blocks: int = 1) -> None:
        super().__init__()
        self.embedding = _Linear(SCALARS, hidden)
        self.blocks = nn.ModuleList(_Block(hidden, last=block == blocks - 1) for block in range(blocks))
        first = nn.Linear(hidden, hidden)
        # jets differ little in the pooled h: with random biases every other seed fails, its ReLUs dead for all jets
        nn.init.ones_(first.bias)
        self.decoder = nn.Sequential(first, nn.ReLU(), nn.Linear(hidden, 2))

    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """``momenta`` float32 [n, 82, 4]: (E, px, py, pz) in GeV of the beams, then of up to 80 constituents."""
        beams = np.broadcast_to(np.array(BEAMS), (len(jets), len(BEAMS), 4))
        momenta = np.concatenate([beams, jets.leading(CONSTITUENTS).four_momenta], axis=1)
        return {"momenta": momenta.astype(np.float32)}

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        momenta = tensors["momenta"]
        if self.training:  # BatchNorm needs them all at once
            return self._logits(momenta)
        return torch.cat([self._logits(part) for part in torch.split(momenta, EVALUATED_AT_ONCE)])

    def _logits(self, padded: Tensor) -> Tensor:
        there = padded[..., 0] > 0
        particles = Particles.present(there)
        momenta = padded[there].T.double().contiguous()  # small differences of large products need float64
        mass = _psi(_products(momenta, momenta).abs().sqrt()).to(padded.dtype)
        scalars = torch.stack([mass * ~particles.is_beam, mass * particles.is_beam])
        h = self.embedding(scalars)
        for block in self.blocks:
            h, momenta = block(h, momenta, scalars, particles)
        # as in the reference, padding counts in the mean; here over all places, independent of the batch
        pooled = h.new_zeros(len(h), len(padded)).index_add(1, particles.jet, h) / padded.shape[1]
        scores: Tensor = self.decoder(pooled.T)
        return scores[:, 0] - scores[:, 1]


class _Linear(nn.Linear):
    """`nn.Linear` on arrays [channels, ...] with channels first."""

    def forward(self, x: Tensor) -> Tensor:
        return self.weight @ x if self.bias is None else torch.addmm(self.bias[:, None], self.weight, x)


class _BatchNorm(nn.BatchNorm1d):
    """`nn.BatchNorm1d` on arrays [channels, n]."""

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = super().forward(x[None])[0]
        return normalised


class _Block(nn.Module):
    """Lorentz group equivariant block (LGEB), equations 3.2 to 3.5 of arXiv:2201.08187."""

    #: c in the reference, which limits the update of the momenta
    MOMENTUM_STEP = 5e-3

    def __init__(self, hidden: int, *, last: bool) -> None:
        super().__init__()
        self.hidden = hidden
        self.from_edge = nn.Linear(2 * hidden + 2, hidden, bias=False)  # of h_i, h_j, psi(|x_i - x_j|^2), psi(x_i x_j)
        self.phi_e = nn.Sequential(_BatchNorm(hidden), nn.ReLU(), _Linear(hidden, hidden), nn.ReLU())
        self.phi_m = nn.Sequential(_Linear(hidden, 1), nn.Sigmoid())
        self.phi_h = nn.Sequential(
            *(_Linear(2 * hidden + SCALARS, hidden), _BatchNorm(hidden), nn.ReLU(), _Linear(hidden, hidden))
        )
        self.phi_x = None if last else _momentum_weight(hidden)

    def forward(self, h: Tensor, momenta: Tensor, scalars: Tensor, particles: Particles) -> tuple[Tensor, Tensor]:
        """Updated h [hidden, V] and momenta [4, V]."""
        messages = self._messages(h, momenta, particles)
        new_h = h + self.phi_h(torch.cat([h, particles.received(messages), scalars]))
        if self.phi_x is None:
            return new_h, momenta
        apart = momenta.index_select(1, particles.receiver) - momenta.index_select(1, particles.sender)
        pull = particles.received(apart * self.phi_x(messages).to(momenta.dtype)) / particles.partners.clamp(min=1)
        return new_h, momenta + self.MOMENTUM_STEP * pull

    def _messages(self, h: Tensor, momenta: Tensor, particles: Particles) -> Tensor:
        """Messages [hidden, 2 P] along all edges: phi_e, weighted by phi_m."""
        own, other, invariants = self.from_edge.weight.tensor_split((self.hidden, 2 * self.hidden), dim=1)
        of_pairs = invariants @ _psi(_invariants(momenta, particles)).to(h.dtype)
        received = (own @ h).index_select(1, particles.receiver)
        sent = (other @ h).index_select(1, particles.sender)
        # an edge and its reverse have the same invariants
        messages = self.phi_e(((received + sent).view(self.hidden, 2, -1) + of_pairs[:, None]).flatten(1))
        weighted: Tensor = messages * self.phi_m(messages)
        return weighted


def _momentum_weight(hidden: int) -> nn.Sequential:
    last = _Linear(hidden, 1, bias=False)
    nn.init.xavier_uniform_(last.weight, gain=1e-3)
    return nn.Sequential(_Linear(hidden, hidden), nn.ReLU(), last)


def _invariants(momenta: Tensor, particles: Particles) -> Tensor:
    """Square of the difference, and product, of the momenta [4, V] of every pair: [2, P] in GeV^2."""
    first, second = particles.pairs()
    squares = _products(momenta, momenta)
    products = _products(momenta.index_select(1, first), momenta.index_select(1, second))
    differences = squares[first] + squares[second] - 2 * products
    return torch.stack([differences, products])


def _products(p: Tensor, q: Tensor) -> Tensor:
    """Minkowski products [n] of four-vectors [4, n]."""
    return p.new_tensor(METRIC) @ (p * q)


def _psi(x: Tensor) -> Tensor:
    """sign(x) log(|x| + 1): maps values spanning decades to order 1."""
    return x.sign() * x.abs().log1p()
