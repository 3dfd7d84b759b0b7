"""A small transformer: attention between constituents, without a thought for hardware."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nanopelican_hls.baselines.features import CONSTITUENTS, FEATURES, JET_FEATURES, OfFeatures

WIDTH = 32
HEADS = 4
BLOCKS = 2
#: nodes of the hidden layer of a block
HIDDEN = 64


class Transformer(OfFeatures):
    """Blocks of self-attention (arXiv:1706.03762) on the constituents and a token that the logit is read from.

    That token starts from the features of the whole jet, if it sees them, otherwise from a trained vector. There is no
    position, so the order of the constituents does not matter. Layers are normalised before they act
    (arXiv:2002.04745).

    Parameters
    ----------
    constituents, of_jet
        As for `OfFeatures`.
    """

    name = "transformer"
    title = "Transformer"
    learning_rate = 3e-3

    def __init__(self, *, constituents: int = CONSTITUENTS, of_jet: bool = False) -> None:
        super().__init__(constituents=constituents, of_jet=of_jet)
        self.embedding = nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
        self.token = nn.Linear(JET_FEATURES, WIDTH) if of_jet else nn.Parameter(torch.randn(WIDTH))
        block = nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, BLOCKS, norm=nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.readout = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        features, present = tensors["features"], tensors["present"]
        constituents = self.embedding(self.standardised(features))
        token = self._token(tensors, len(features))
        absent = torch.cat([present.new_zeros(len(present), 1), ~present], dim=1)
        seen = self.blocks(torch.cat([token[:, None], constituents], dim=1), src_key_padding_mask=absent)
        logits: Tensor = self.readout(seen[:, 0]).squeeze(-1)
        return logits

    def _token(self, tensors: Mapping[str, Tensor], jets: int) -> Tensor:
        if isinstance(self.token, nn.Parameter):
            return self.token.expand(jets, WIDTH)
        token: Tensor = self.token(self.standardised_jet(tensors["jet"]))
        return token
