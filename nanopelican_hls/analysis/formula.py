"""The tagger as an analytic formula with fitted numbers, and their spread over seeds (docs/formula.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from nanopelican_hls.errors import NetworkError
from nanopelican_hls.network.batch_norm import MaskedBatchNorm
from nanopelican_hls.network.canonical import MIXING, READOUT, canonical
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.topology.config import Multiplicity, MultiplicityTables, NetworkConfig

#: parameters of each channel
CHANNEL = (*MIXING, *READOUT)
#: parameters with an exponent of n / Nbar in nPELICAN_N
SCALED = (*MIXING[1:6], *READOUT)


class Count(NamedTuple):
    """Numbers of parameters.

    ``nominal``: all of LinEq. ``effective``: as the paper counts, one scale per channel fewer. ``independent``: the
    rank of the derivative of the logit by the parameters, another one per channel fewer if no d_ii contributes
    (`scaled_diagonal`), and one fewer if b0 has a table over the jet's multiplicity.
    """

    nominal: int
    effective: int
    independent: int


def parameter_count(net: FloatNetwork) -> Count:
    """Parameters of a network, without those of BatchNorm.

    The scales of BatchNorm are absorbed into the weights. Its offsets remain, at most three numbers (`Formula`: t,
    b_nn, b_n).
    """
    norms = [id(p) for m in net.modules() if isinstance(m, MaskedBatchNorm) for p in m.parameters()]
    nominal = sum(p.numel() for p in net.parameters() if id(p) not in norms)
    effective = nominal - net.network.channels
    # b0 adds to every row of its table
    twice = net.network.channels * scaled_diagonal(net.network) + _has_table(net.network)
    return Count(nominal, effective, effective - twice)


def scaled_diagonal(network: NetworkConfig) -> bool:
    """Whether the scale of z_ii is independent of that of z_ij.

    It is if all particles are massless: c1 then appears only in z_ij, and c2, c6, b_diag and k1 can scale z_ii by any
    number and its weight by the inverse. In nPELICAN_N they cannot do so for all n at once.
    """
    return not (network.spurion or network.multiplicity_scaling)


@dataclass(frozen=True, eq=False)
class Formula:
    """The canonical parameters of a network, and their values in the formula.

    Parameters
    ----------
    network : NetworkConfig
        The form of the network.
    nbar : int
        Its normalisation constant: exponents act on n / Nbar.
    parameters : mapping of str to float64 array
        Canonical values, dimensionless: those of `CHANNEL` [C], without c4 in the symmetric form; b0 [1], or [T] for
        the bins of the jet's multiplicity; with BatchNorm its offsets t, b_nn and b_n [1]; in nPELICAN_N alpha_c2 to
        alpha_k1 [1].
    d_unit : float
        Unit of d in the network, in GeV^-2.
    """

    network: NetworkConfig
    nbar: int
    parameters: Mapping[str, NDArray[np.float64]]
    d_unit: float

    @classmethod
    def of(cls, net: FloatNetwork) -> Formula:
        """The formula of a network, converted to its canonical form first.

        Where the diagonal has an independent scale (`scaled_diagonal`), it is chosen so that a diagonal entry has the
        same weight as an entry of a pair: k1 is 0, or -2 k0 / Nbar if the signs differ.

        Raises
        ------
        NetworkError
            If the network has several classes, trained tables over the multiplicity other than that of b0 over the
            jet's, or a readout weight of its own for the pairs of the spurion: none has a place in the formula.
        """
        _require_formula(net.network)
        net = canonical(net)
        names = [name for name in CHANNEL if name != "c4" or not net.network.symmetric]
        found = {name: _array(getattr(net, name)) for name in names} | {"b0": _array(net.b0)}
        if _has_table(net.network):
            found["b0"] = found["b0"] + _array(net.b0_table)[:, 0]
        if net.input_norm is not None and net.hidden_norm is not None:
            weight, offset = _array(net.hidden_norm.weight), _array(net.hidden_norm.bias)
            found["t"] = _array(net.input_norm.bias)
            # the second BatchNorm adds its offset to every entry: (k0 n^2 / Nbar^2 + k1 n / Nbar) times it in total
            for name, readout in (("b_nn", "k0"), ("b_n", "k1")):
                found[name] = (offset * found[readout]).sum(keepdims=True)
            found |= {name: weight * found[name] for name in READOUT}
        if scaled_diagonal(net.network):
            found |= _like_pairs(found, net.nbar)
        if hasattr(net, "alpha"):
            scaled = (f"alpha_{name}" for name in SCALED if name in names)
            found |= dict(zip(scaled, _array(net.alpha)[:, None], strict=True))
        return cls(net.network, net.nbar, found, net.d_unit)

    def coefficient(self, name: str) -> NDArray[np.float64]:
        """A parameter as it appears in the formula, in units of `unit`."""
        value = self.parameters[self._owner(name)]
        factors = {"k0": self.d_unit / self.nbar**2, "k1": self.d_unit / self.nbar}
        factors |= dict.fromkeys(("c2", "c3", "c4", "b_n"), 1 / self.nbar)
        factors |= dict.fromkeys(("c5", "c6", "b_nn"), 1 / self.nbar**2)
        factors |= dict.fromkeys(("b", "b_diag", "t"), 1 / self.d_unit)
        return value * factors.get(name, 1.0)

    def exponent(self, name: str) -> float | None:
        """Exponent of n / Nbar of a parameter; None if it has none."""
        found = self.parameters.get(f"alpha_{self._owner({'b_nn': 'k0', 'b_n': 'k1'}.get(name, name))}")
        return None if found is None else float(found[0])

    def _owner(self, name: str) -> str:
        return "c3" if name == "c4" and self.network.symmetric else name

    def matched(self, other: Formula) -> Formula:
        """The same formula with its channels ordered to be nearest to those of another.

        The distance is Euclidean, with each parameter in units of its median magnitude in both networks.
        """
        names = [name for name in CHANNEL if name in self.parameters]
        mine, theirs = (np.stack([f.parameters[name] for name in names], axis=1) for f in (self, other))
        size = np.median(np.abs(np.concatenate([mine, theirs])), axis=0)
        size = np.where(size == 0, 1.0, size)
        distance = ((theirs[:, None] / size - mine[None] / size) ** 2).sum(-1)
        _, order = linear_sum_assignment(distance)
        return replace(self, parameters={n: v[order] if n in names else v for n, v in self.parameters.items()})


def _require_formula(network: NetworkConfig) -> None:
    for option, used in (
        ("multiplicity", network.multiplicity is not Multiplicity.NONE and not _has_table(network)),
        ("spurion_readout", network.spurion_readout),
        ("classes", bool(network.classes)),
    ):
        if used:
            raise NetworkError(
                "the formula has no term for it",
                where=f"network.{option}",
                remedy="print the formula of a network without this option",
            )


def _has_table(network: NetworkConfig) -> bool:
    """Whether b0, and nothing else, depends on the jet's multiplicity."""
    of_jet = network.multiplicity is Multiplicity.JET and not network.multiplicity_scaling
    return of_jet and network.multiplicity_tables is MultiplicityTables.READOUT


def _like_pairs(parameters: Mapping[str, NDArray[np.float64]], nbar: int) -> dict[str, NDArray[np.float64]]:
    """New c2, c6, b_diag and k1 that make the weight of z_ii, k0 + k1 Nbar in units of 1 / Nbar^2, equal to k0 or -k0.

    Channels in which either is 0 are left unchanged.
    """
    p = {**parameters, "c4": parameters.get("c4", parameters["c3"])}
    bias = p["b"] + p["c1"] * p.get("t", 0.0)  # with BatchNorm d_ii is t
    weight = p["k0"] + p["k1"] * nbar
    usable = (weight != 0) & (p["k0"] != 0)
    ratio = np.where(usable, weight, 1.0) / np.where(usable, p["k0"], 1.0)
    size = np.abs(ratio)
    changed = {
        "c2": size * (p["c2"] + p["c3"] + p["c4"]) - p["c3"] - p["c4"],
        "c6": size * (p["c5"] + p["c6"]) - p["c5"],
        "b_diag": size * (bias + p["b_diag"]) - bias,
        "k1": np.where(ratio < 0, -2 * p["k0"] / nbar, 0.0),
    }
    return {name: np.where(usable, value, p[name]) for name, value in changed.items()}


def unit(name: str) -> str:
    """Unit of a coefficient of the formula."""
    return {"b": "GeV^2", "b_diag": "GeV^2", "t": "GeV^2", "k0": "GeV^-2", "k1": "GeV^-2"}.get(name, "1")


class Spread(NamedTuple):
    """Mean and standard deviation (with n - 1 in the denominator) of a number over seeds; NaN for one seed."""

    mean: float
    deviation: float


def spreads(formulas: Sequence[Formula]) -> dict[tuple[str, int], tuple[Spread, Spread]]:
    """Spread of each parameter, canonical and in the formula, by name and channel (0 if common to all channels).

    Channels are matched to those of the first network (`Formula.matched`).
    """
    matched = [formula.matched(formulas[0]) for formula in formulas]
    result = {}
    for name, values in formulas[0].parameters.items():
        for channel in range(len(values)):
            numbers = (
                [f.parameters[name][channel] for f in matched],
                [f.coefficient(name)[channel] for f in matched],
            )
            plain, scaled = (
                Spread(float(np.mean(x)), float(np.std(x, ddof=1)) if len(x) > 1 else math.nan) for x in numbers
            )
            result[name, channel] = (plain, scaled)
    return result


class Term(NamedTuple):
    """``coefficient (n / Nbar)^exponent symbol``, with a symbol of a `Notation`; "1" means a constant."""

    coefficient: float
    unit: str
    symbol: str
    channel: int
    exponent: float | None


def _terms(formula: Formula, symbols: Mapping[str, str], channel: int) -> list[Term]:
    """One term per parameter, with the symbol it multiplies."""
    return [
        Term(float(formula.coefficient(name)[channel]), unit(name), symbol, channel + 1, formula.exponent(name))
        for name, symbol in symbols.items()
    ]


def _logit_terms(formula: Formula) -> list[Term]:
    offsets = {"b_nn": "n^2", "b_n": "n"} if "t" in formula.parameters else {}
    constant = [Term(1.0, "1", "b0", 1, None)] if _has_table(formula.network) else _terms(formula, {"b0": "1"}, 0)
    terms = constant + _terms(formula, offsets, 0)
    for channel in range(formula.network.channels):
        terms += _terms(formula, {"k0": "pairs", "k1": "diagonal"}, channel)
    return [term for term in terms if term.coefficient or term.symbol == "1"]


def _mixing_terms(formula: Formula, channel: int) -> tuple[list[Term], list[Term]]:
    """z_ij of a channel, and the additional terms of z_ii."""
    pair = {"c1": "d", "c4": "r_i", "c3": "r_j", "c5": "s", "b": "1"}
    return _terms(formula, pair, channel), _terms(formula, {"c2": "r_i", "c6": "s", "b_diag": "1"}, channel)


class Notation(NamedTuple):
    """How terms are written.

    ``symbols`` are templates in ``h``, the channel; those of the products have a second form, ``shifted``, with t from
    the BatchNorm of the input. ``number`` takes a value, the digits and a unit; ``power`` is a template in ``nbar`` and
    ``exponent``.
    """

    symbols: Mapping[str, str]
    shifted: Mapping[str, str]
    number: Callable[[float, int, str], str]
    power: str
    times: str

    def sum(self, terms: Sequence[Term], formula: Formula, digits: int) -> list[str]:
        """Each term with its sign, without a leading plus."""
        symbols = {**self.symbols, **(self.shifted if "t" in formula.parameters else {})}
        written = []
        for term in terms:
            factors = [self.number(abs(term.coefficient), digits, term.unit)]
            if factors == ["1"] and term.symbol != "1":
                factors = []
            if term.exponent is not None:
                exponent = self.number(term.exponent, digits, "1")
                factors.append(self.power.format(nbar=formula.nbar, exponent=exponent))
            if term.symbol != "1":
                factors.append(symbols[term.symbol].format(h=term.channel))
            sign = "-" if term.coefficient < 0 else "+"
            written.append(f"{sign} {self.times.join(factors)}")
        return [written[0].removeprefix("+ "), *written[1:]]


def text(formula: Formula, *, digits: int) -> str:
    """The formula as plain text, one equation per paragraph; with 17 digits every number is exact."""
    lines = ["w = " + "\n    ".join(_TEXT.sum(_logit_terms(formula), formula, digits))]
    for channel in range(formula.network.channels):
        pair, diagonal = (" ".join(_TEXT.sum(terms, formula, digits)) for terms in _mixing_terms(formula, channel))
        lines.append(f"z{channel + 1}_ij = {pair}\n        + [i = j] * ({diagonal})")
    if _has_table(formula.network):
        bins = formula.network.multiplicity_bins
        values = ", ".join(format(value, f".{digits}g") for value in formula.coefficient("b0"))
        lines.append(f"b0 = [{values}][clip((n_jet - {bins.low}) // {bins.width}, 0, {bins.bins - 1})]")
    if "t" in formula.parameters:
        lines.append(f"t = {formula.coefficient('t')[0]:.{digits}g}")
    return "\n".join([*lines, "", *_legend(formula)]) + "\n"


def _legend(formula: Formula) -> list[str]:
    network = formula.network
    among = {"beams": ", the beams (1, 0, 0, +-1) GeV among them", "jet": ", the jet's four-momentum among them"}
    among["rest"] = ", the rest of the jet, beyond its leading constituents, among them"
    massless = "p_i.p_i is put to 0" + (f", but for the {network.spurion}" if network.spurion else "")
    lines = [
        f"i, j: the n particles of a jet{among.get(network.spurions.value, '')}. J = sum_i p_i, J.p_i = sum_j p_i.p_j,",
        f"m_J^2 = sum_ij p_i.p_j, where {massless}. Metric + - - -, products and what is added to",
        "them in GeV^2, factors of the sums over ReLU in GeV^-2. The tagger says top if w > 0.",
    ]
    if _has_table(network):
        lines.append("n_jet: the number of all constituents of the jet.")
    if formula.exponent("k0") is not None:
        lines.append(f"Without particles, w = {formula.parameters['b0'][0]:.4g}.")
    return lines


def latex(formula: Formula, *, digits: int) -> str:
    """The formula as a LaTeX ``align*`` (amsmath)."""
    first, *others = _LATEX.sum(_logit_terms(formula), formula, digits)
    lines = [f"w &= {first}", *(f"&\\quad {other}" for other in others)]
    for channel in range(formula.network.channels):
        pair, diagonal = (" ".join(_LATEX.sum(terms, formula, digits)) for terms in _mixing_terms(formula, channel))
        lines += [rf"z^{{({channel + 1})}}_{{ij}} &= {pair}", rf"&\quad + \delta_{{ij}}\bigl({diagonal}\bigr)"]
    if _has_table(formula.network):
        bins = formula.network.multiplicity_bins
        values = r",\,".join(latex_number(value, digits) for value in formula.coefficient("b0"))
        place = rf"\lfloor (n_\mathrm{{jet}} - {bins.low}) / {bins.width} \rfloor"
        lines.append(rf"b_0 &= ({values})_k, \quad k = \min(\max({place}, 0), {bins.bins - 1})")
    if "t" in formula.parameters:
        lines.append(f"t &= {latex_number(formula.coefficient('t')[0], digits, unit('t'))}")
    legend = "".join(f"% {line}\n" for line in _legend(formula))
    return legend + "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


def latex_number(value: float, digits: int, unit: str = "1") -> str:
    """A number with its unit, with powers of ten spelled out."""
    mantissa, _, power = format(value, f".{digits}g").partition("e")
    number = rf"{mantissa}\times 10^{{{int(power)}}}" if power else mantissa
    if unit == "1":
        return number
    base, _, exponent = unit.partition("^")
    return rf"{number}\,\mathrm{{{base}}}^{{{exponent}}}"


def parameter_rows(formulas: Sequence[Formula], *, digits: int, tex: bool = False) -> list[list[str]]:
    """A header, and a row per parameter and channel of the first network, with the spread if there are several."""
    number, plus_minus = (latex_number, r" \pm ") if tex else (_TEXT.number, " +- ")

    def cell(*values: float) -> str:
        written = plus_minus.join(number(value, digits, "1") for value in values)
        return f"${written}$" if tex else written

    head = ["parameter", "channel", "canonical", "in the formula", "unit"]
    rows = [head + (["canonical, all seeds", "in the formula, all seeds"] if len(formulas) > 1 else [])]
    for (name, channel), spread in spreads(formulas).items():
        own = (formulas[0].parameters[name][channel], formulas[0].coefficient(name)[channel])
        of_channel = str(channel + 1) if name in CHANNEL else ""
        if name == "b0" and _has_table(formulas[0].network):
            of_channel = f"bin {channel}"
        values = [
            cell(*own_or_spread)
            for own_or_spread in (*((value,) for value in own), *(spread if len(formulas) > 1 else ()))
        ]
        rows.append([name, of_channel, *values[:2], unit(name), *values[2:]])
    return rows


_TEXT = Notation(
    symbols={
        "d": "p_i.p_j",
        "r_i": "J.p_i",
        "r_j": "J.p_j",
        "s": "m_J^2",
        "b0": "b0",
        "n": "n",
        "n^2": "n^2",
        "pairs": "sum_ij ReLU(z{h}_ij)",
        "diagonal": "sum_i ReLU(z{h}_ii)",
    },
    shifted={
        "d": "(p_i.p_j + t)",
        "r_i": "(J.p_i + n * t)",
        "r_j": "(J.p_j + n * t)",
        "s": "(m_J^2 + n^2 * t)",
    },
    number=lambda value, digits, unit: format(value, f".{digits}g"),  # noqa: ARG005, the legend names the units
    power="(n / {nbar})^({exponent})",
    times=" * ",
)

_LATEX = Notation(
    symbols={
        "d": r"p_i\cdot p_j",
        "r_i": r"J\cdot p_i",
        "r_j": r"J\cdot p_j",
        "s": "m_J^2",
        "b0": "b_0",
        "n": "n",
        "n^2": "n^2",
        "pairs": r"\sum_{{i,j}}\mathrm{{ReLU}}\bigl(z^{{({h})}}_{{ij}}\bigr)",
        "diagonal": r"\sum_i\mathrm{{ReLU}}\bigl(z^{{({h})}}_{{ii}}\bigr)",
    },
    shifted={
        "d": r"(p_i\cdot p_j+t)",
        "r_i": r"(J\cdot p_i+n\,t)",
        "r_j": r"(J\cdot p_j+n\,t)",
        "s": r"(m_J^2+n^2\,t)",
    },
    number=latex_number,
    power=r"\left(\tfrac{{n}}{{{nbar}}}\right)^{{{exponent}}}",
    times=r"\,",
)


def _array(values: Any) -> NDArray[np.float64]:
    found: NDArray[np.float64] = values.detach().double().numpy().copy()
    return found
