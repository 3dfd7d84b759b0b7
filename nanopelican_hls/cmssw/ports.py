"""The ports of a firmware in the C++ of an emulator: their types, and where the common struct of CMSSW goes."""

from __future__ import annotations

from dataclasses import dataclass

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.hls.layers import ROUNDING_MODES, exact_type
from nanopelican_hls.topology.level1_format import LEVEL1_FORMATS, Level1Format

#: the words of a constituent, in the order of the common struct
CANDIDATE_WORDS = ("pt", "eta", "phi")
#: the words of a jet, in the order of the common struct
JET_WORDS = ("jet_pt", "jet_eta", "jet_phi", "jet_mass", "n_jet")
#: grid and width of the numbers of the common struct
COMMON_FRACTION, COMMON_BITS = 32, 64


@dataclass(frozen=True)
class Ports:
    """Inputs and outputs of a program.

    Attributes
    ----------
    program : Program

    Raises
    ------
    FirmwareError
        If the common struct cannot hold an output.
    """

    program: Program

    def __post_init__(self) -> None:
        for port in self.program.outputs:
            if port.exponent < -COMMON_FRACTION or port.bits + port.exponent > COMMON_BITS - COMMON_FRACTION - 1:
                raise FirmwareError(
                    f"needs {port.bits} bits in units of 2^{port.exponent}, which ap_fixed<64,32> does not hold",
                    where=f"output {port.name!r}",
                    remedy="narrow the quantiser of the output",
                )

    @property
    def level1(self) -> Level1Format | None:
        """The format of the words at the ports; None if these are components."""
        ports = {port.tensor: port for port in self.program.inputs}
        if not ports.keys() >= set(CANDIDATE_WORDS):
            return None
        grids = tuple(ports[word].quantiser for word in CANDIDATE_WORDS)
        for found in LEVEL1_FORMATS.values():
            if grids == (found.pt, found.eta, found.phi):
                return found
        raise FirmwareError(
            "have the grids of no Level-1 format",
            where="ports pt, eta and phi",
            remedy=f"use one of {', '.join(LEVEL1_FORMATS)}",
        )

    def n_candidates(self) -> int:
        return next(port.elements for port in self.program.inputs if port.tensor == CANDIDATE_WORDS[0])

    def input_types(self) -> list[str]:
        """``std::array`` of each input."""
        return [f"std::array<{quantised_type(port.quantiser)}, {port.elements}>" for port in self.program.inputs]

    def output_types(self) -> list[str]:
        """``std::array`` of each output, of the types that the HLS C++ has."""
        return [f"std::array<{self._result_type(port)}, {port.elements}>" for port in self.program.outputs]

    def _result_type(self, port: Port) -> str:
        quantiser = self.program.quantisers.get(port.tensor)
        if quantiser is not None:
            return quantised_type(quantiser)
        exact = exact_type(port.range)
        return f"ap_{'' if exact.signed else 'u'}fixed<{exact.width},{exact.integer}>"

    def candidate_lines(self) -> list[str]:
        """Statements that read a candidate of the common struct."""
        return [
            f"std::get<{k}>(inputs)[i] = {_read(port.tensor, f'candidate[{CANDIDATE_WORDS.index(port.tensor)}]')};"
            for k, port in enumerate(self.program.inputs)
            if port.tensor in CANDIDATE_WORDS
        ]

    def jet_lines(self) -> list[str]:
        """Statements that read the jet of the common struct; a model without a port for a number ignores it."""
        return [
            f"std::get<{k}>(inputs)[0] = {_read(port.tensor, f'jet[{JET_WORDS.index(port.tensor)}]')};"
            for k, port in enumerate(self.program.inputs)
            if port.tensor in JET_WORDS
        ]


def quantised_type(quantiser: Quantiser) -> str:
    """``ap_(u)fixed`` type that rounds and saturates as a quantiser does."""
    kind = "ap_fixed" if quantiser.signed else "ap_ufixed"
    integer = quantiser.bits + quantiser.exponent
    return f"{kind}<{quantiser.bits},{integer},AP_{ROUNDING_MODES[quantiser.rounding]},AP_SAT,0>"


def _read(word: str, number: str) -> str:
    return f"phi_word({number})" if word.endswith("phi") else number
