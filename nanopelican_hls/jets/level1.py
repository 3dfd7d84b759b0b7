"""Conversion of jets to and from the integers of a Level-1 trigger (docs/level1.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets, pt_gev
from nanopelican_hls.topology.level1_format import (
    CMS_CORRELATOR,
    GLOBAL_TRIGGER,
    LEVEL1_FORMATS,
    Level1Format,
    WordFormat,
)

__all__ = [
    "CMS_CORRELATOR",
    "GLOBAL_TRIGGER",
    "LEVEL1_FORMATS",
    "Level1Format",
    "Level1Jets",
    "from_level1",
    "pack",
    "to_level1",
    "unpack",
]

Codes = NDArray[np.int64]

#: words of a constituent and of a jet
CONSTITUENT_WORDS = ("pt", "eta", "phi")
JET_WORDS = ("jet_pt", "jet_eta", "jet_phi", "jet_mass")


@dataclass(frozen=True, kw_only=True, eq=False)
class Level1Jets:
    """Jets as Level-1 words, checked and sorted on construction.

    Constituents are in descending pt, ties in ascending eta, then phi. A constituent with pt 0 is padding: its eta and
    phi are set to 0 and it is moved to the end. Equal jets therefore have equal arrays, whatever order they arrived in.

    Parameters
    ----------
    format : Level1Format
        Ranges and LSBs of the codes.
    pt, eta, phi : int64 [n, N]
        Codes of the constituents, which are massless.
    jet_pt, jet_eta, jet_phi, jet_mass : int64 [n]
        Codes of the whole jet, from all its constituents. The eta of a jet is its rapidity, which the pT-weighted mean
        eta of its constituents approximates.
    multiplicity : int64 [n]
        Number of constituents before any cut; never less than the number present.
    labels : int8 [n] or None
        1 = top, 0 = QCD, or positions in `classes`; None if unknown.
    classes : tuple of str or None
        As in `Jets`.

    Raises
    ------
    JetsError
        If an array is not integer or has the wrong shape, or a code is out of range; the message names the word, the
        jet and the constituent.
    """

    format: Level1Format
    pt: Codes
    eta: Codes
    phi: Codes
    jet_pt: Codes
    jet_eta: Codes
    jet_phi: Codes
    jet_mass: Codes
    multiplicity: NDArray[np.int64]
    labels: NDArray[np.int8] | None = None
    classes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.pt)
        if len(shape) != 2 or shape[1] < 1:
            raise JetsError(
                f"must have shape [jets, constituents], not {list(shape)}",
                where="pt",
                remedy="pass words as from to_level1",
            )
        for word in (*CONSTITUENT_WORDS, *JET_WORDS):
            codes = np.asarray(getattr(self, word))
            _check_codes(codes, word, shape if word in CONSTITUENT_WORDS else shape[:1], self.format)
            object.__setattr__(self, word, codes.astype(np.int64))
        for name, kind in (("multiplicity", np.int64), ("labels", np.int8)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name)).astype(kind))
        self._order()

    def __len__(self) -> int:
        return len(self.pt)

    def __getitem__(self, index: slice | NDArray[Any]) -> Level1Jets:
        """Select jets by slice, index array or mask."""
        arrays = (*CONSTITUENT_WORDS, *JET_WORDS, "multiplicity")
        chosen: dict[str, Any] = {name: getattr(self, name)[index] for name in arrays}
        return replace(self, **chosen, labels=None if self.labels is None else self.labels[index])

    def leading(self, n_constituents: int) -> Level1Jets:
        """Keep exactly ``n_constituents`` per jet: the first ones, zero-padded if there are fewer."""
        if n_constituents < 1:
            raise JetsError(f"cannot keep {n_constituents} constituents", remedy="keep at least 1")
        padding = ((0, 0), (0, max(0, n_constituents - self.pt.shape[1])))
        cut: dict[str, Any] = {
            word: np.pad(getattr(self, word), padding)[:, :n_constituents] for word in CONSTITUENT_WORDS
        }
        return replace(self, **cut)

    def _order(self) -> None:
        """Clear the padding and sort the constituents of each jet."""
        present = self.pt > 0
        eta, phi = np.where(present, self.eta, 0), np.where(present, self.phi, 0)
        order = np.lexsort((phi, eta, -self.pt), axis=1)
        for word, codes in (("pt", self.pt), ("eta", eta), ("phi", phi)):
            object.__setattr__(self, word, np.take_along_axis(codes, order, axis=1))


def to_level1(jets: Jets, scales: Level1Format = CMS_CORRELATOR) -> Level1Jets:
    """Convert jets to Level-1 words, rounding half-to-even; pt and eta saturate, phi wraps around.

    A constituent whose pt rounds to 0 becomes padding. The eta of the jet is its rapidity. Words are recovered exactly
    after `from_level1`.

    Parameters
    ----------
    jets : Jets
        Constituents are treated as massless: their eta is the pseudorapidity.
    scales : Level1Format
        Format of the words.
    """
    pt, eta, phi = _polar(jets.four_momenta)
    jet_pt, _, jet_phi = _polar(jets.jet_four_momentum)
    rapidity, mass = _rapidity_and_mass(jets.jet_four_momentum)
    return Level1Jets(
        format=scales,
        pt=scales.pt.integers(pt),
        eta=scales.eta.integers(eta / scales.angle_lsb),
        phi=_phi_codes(phi, scales),
        jet_pt=scales.pt.integers(jet_pt),
        jet_eta=scales.eta.integers(rapidity / scales.angle_lsb),
        jet_phi=_phi_codes(jet_phi, scales),
        jet_mass=scales.pt.integers(mass),
        multiplicity=jets.multiplicity,
        labels=jets.labels,
        classes=jets.classes,
    )


def from_level1(words: Level1Jets) -> Jets:
    """Convert Level-1 words to jets in float64 GeV: massless constituents; the jet from pt, rapidity, phi and mass."""
    lsb, angle = words.format.pt_lsb_gev, words.format.angle_lsb
    pt, eta, phi = words.pt * lsb, words.eta * angle, words.phi * angle
    jet_pt, rapidity, jet_phi = words.jet_pt * lsb, words.jet_eta * angle, words.jet_phi * angle
    transverse_mass = np.hypot(jet_pt, words.jet_mass * lsb)
    four_momenta = _cartesian(pt, pt, eta, phi)
    # rounding makes equal pt words differ; sorted here, so that `Jets` does not report them as unsorted
    order = np.argsort(-pt_gev(four_momenta), axis=1, kind="stable")
    return Jets(
        four_momenta=np.take_along_axis(four_momenta, order[..., None], axis=1),
        jet_four_momentum=_cartesian(transverse_mass, jet_pt, rapidity, jet_phi),
        multiplicity=words.multiplicity,
        labels=words.labels,
        classes=words.classes,
    )


def pack(words: Level1Jets, n_constituents: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Words of candidates [n, N], the leading ones or padding, and of jets [n], as a trigger sends them.

    Bits of no integer are 0. A number of constituents above its field saturates.

    Raises
    ------
    JetsError
        If the format has no such words.
    """
    candidate, jet = _word_formats(words.format)
    leading = words.leading(n_constituents)
    arrays = {name: getattr(leading, name) for name in (*CONSTITUENT_WORDS, *JET_WORDS)}
    arrays["n_jet"] = np.minimum(leading.multiplicity, (1 << jet.fields.get("n_jet", (0, 62))[1]) - 1)
    return _packed(candidate, arrays, leading.pt.shape), _packed(jet, arrays, leading.jet_pt.shape)


def unpack(candidates: NDArray[np.uint64], jets: NDArray[np.uint64], scales: Level1Format) -> Level1Jets:
    """The inverse of `pack`: from words [n, N] and [n]; bits of no field are passed over.

    The constituents are sorted, as in every `Level1Jets`, so words in another order come back in that of pt.

    Raises
    ------
    JetsError
        If the words are no integers, the format has none, or a code lies outside of its range.
    """
    for where, words in (("candidates", candidates), ("jets", jets)):
        if np.asarray(words).dtype.kind not in "iu":
            raise JetsError("are no integers", where=where, remedy="pass words of 64 bits, as from pack")
    candidates, jets = (np.asarray(words).astype(np.uint64) for words in (candidates, jets))
    candidate, jet = _word_formats(scales)
    found: dict[str, Any] = {name: _unpacked(candidate, name, candidates) for name in CONSTITUENT_WORDS}
    found |= {name: _unpacked(jet, name, jets) for name in JET_WORDS}
    multiplicity = _unpacked(jet, "n_jet", jets) if "n_jet" in jet.fields else np.count_nonzero(found["pt"], axis=1)
    return Level1Jets(format=scales, multiplicity=multiplicity, **found)


def _word_formats(scales: Level1Format) -> tuple[WordFormat, WordFormat]:
    if scales.candidate is None or scales.jet is None:
        raise JetsError(
            "has no words of candidates and jets", where=f"format {scales.name!r}", remedy="use 'cms_correlator'"
        )
    return scales.candidate, scales.jet


def _packed(word: WordFormat, arrays: dict[str, Codes], shape: tuple[int, ...]) -> NDArray[np.uint64]:
    packed = np.zeros(shape, dtype=np.uint64)
    for name, (low, bits) in word.fields.items():
        if name in arrays:
            codes = arrays[name] & ((1 << bits) - 1)  # two's complement
            packed |= codes.astype(np.uint64) << np.uint64(low)
    return packed


def _unpacked(word: WordFormat, name: str, packed: NDArray[np.uint64]) -> Codes:
    low, bits = word.fields[name]
    codes: Codes = ((packed >> np.uint64(low)) & np.uint64((1 << bits) - 1)).astype(np.int64)
    is_signed = name.endswith(("eta", "phi"))
    return np.where(codes >> (bits - 1) == 1, codes - (1 << bits), codes) if is_signed else codes


def _check_codes(codes: NDArray[Any], word: str, shape: tuple[int, ...], scales: Level1Format) -> None:
    if codes.dtype.kind not in "iu":
        raise JetsError(f"must be integers, not {codes.dtype}", where=word, remedy="pass codes, not GeV or radians")
    if codes.shape != shape:
        raise JetsError(
            f"must have shape {list(shape)}, not {list(codes.shape)}", where=word, remedy="pass words as from to_level1"
        )
    low, high = _bounds(word, scales)
    for at in np.argwhere((codes < low) | (codes > high))[:1]:
        place = f"jet {at[0]}" + (f", constituent {at[1]}" if len(at) > 1 else "")
        raise JetsError(
            f"{word} is {codes[tuple(at)]}, outside {low} to {high}",
            where=place,
            remedy=f"use codes of the format {scales.name!r}",
        )


def _bounds(word: str, scales: Level1Format) -> tuple[int, int]:
    """Lowest and highest valid code of a word."""
    if word.endswith("phi"):
        return -scales.half_turn, scales.half_turn - 1
    grid = scales.eta if word.endswith("eta") else scales.pt
    return grid.low, grid.high


def _phi_codes(phi: NDArray[np.float64], scales: Level1Format) -> NDArray[np.int64]:
    """Azimuth codes; rounding before wrapping maps phi just below pi to the code of -pi."""
    codes = np.rint(phi / scales.angle_lsb).astype(np.int64)
    return (codes + scales.half_turn) % scales.turn - scales.half_turn


def _polar(four_momenta: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Transverse momentum in GeV, pseudorapidity and azimuth, each [...], of four-momenta [..., 4].

    The pseudorapidity is infinite along the beam.
    """
    _, px, py, pz = np.moveaxis(four_momenta, -1, 0)
    pt = np.hypot(px, py)
    with np.errstate(divide="ignore", over="ignore"):
        eta = np.arcsinh(np.divide(pz, pt, out=np.zeros_like(pt), where=(pt > 0) | (pz != 0)))
    return pt, eta, np.arctan2(py, px)


def _rapidity_and_mass(four_momenta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rapidity and mass in GeV, each [n], of jets [n, 4]; jets made space-like by rounding have mass 0."""
    energy, px, py, pz = np.moveaxis(four_momenta, -1, 0)
    pt2 = px * px + py * py
    mass2 = np.maximum((energy - pz) * (energy + pz) - pt2, 0.0)
    transverse_mass = np.sqrt(pt2 + mass2)
    with np.errstate(divide="ignore", over="ignore"):
        present = (transverse_mass > 0) | (pz != 0)
        sinh = np.divide(pz, transverse_mass, out=np.zeros_like(pz), where=present)
    return np.arcsinh(sinh), np.sqrt(mass2)


def _cartesian(
    transverse_mass: NDArray[Any], pt: NDArray[Any], rapidity: NDArray[Any], phi: NDArray[Any]
) -> NDArray[np.float64]:
    """(E, px, py, pz) [..., 4]."""
    components = (
        transverse_mass * np.cosh(rapidity),
        pt * np.cos(phi),
        pt * np.sin(phi),
        transverse_mass * np.sinh(rapidity),
    )
    return np.stack(components, axis=-1)
