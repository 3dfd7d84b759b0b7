"""QONNX ``Quant`` nodes: the subset that the contract allows (docs/contract.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import ContractError
from nanopelican_hls.fixed_point import Quantiser, Rounding

#: ONNX domains in which ``Quant`` nodes are written: by QONNX, and by Brevitas
QUANT_DOMAIN = "qonnx.custom_op.general"
QUANT_DOMAINS = (QUANT_DOMAIN, "onnx.brevitas")
#: attributes, and their defaults in qonnx
QUANT_DEFAULTS: Mapping[str, Any] = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
#: float32 values are below 2 to this power
FLOAT32_INTEGER_BITS = 128


def read_quantiser(
    scale: NDArray[np.float64],
    zero_point: NDArray[np.float64],
    bit_width: NDArray[np.float64],
    attributes: Mapping[str, Any],
    where: str,
) -> Quantiser:
    """The quantiser of a node, from its constant inputs and its attributes.

    Raises
    ------
    ContractError
        If the contract does not allow such a quantiser; located at `where`.
    """
    bits, exponent = _read_constants(scale, zero_point, bit_width, where)
    signed, rounding = _read_attributes(attributes, where)
    try:
        quantiser = Quantiser(bits, signed, exponent, rounding)
    except ContractError as error:
        raise ContractError(error.what, where=where, remedy=error.remedy) from error
    # qonnx returns the output of Quant in float32
    if quantiser.range.integer_bits > FLOAT32_INTEGER_BITS:
        raise ContractError(
            f"its values reach 2^{quantiser.range.integer_bits - quantiser.signed}, which float32 cannot represent",
            where=where,
            remedy="train with a smaller scale",
        )
    return quantiser


def _read_constants(
    scale: NDArray[np.float64], zero_point: NDArray[np.float64], bit_width: NDArray[np.float64], where: str
) -> tuple[int, int]:
    """The width in bits and the exponent of the scale."""
    if scale.size != 1 or bit_width.size != 1:
        raise ContractError(
            f"has {scale.size} scales and {bit_width.size} bit widths (per channel)",
            where=where,
            remedy="train with scalar (per-tensor) scales",
        )
    mantissa, exponent = np.frexp(scale.item())
    if mantissa != 0.5:
        raise ContractError(
            f"its scale {_shown(scale.item())} is not a power of two",
            where=where,
            remedy="train with power-of-two scales (Brevitas: RestrictValueType.POWER_OF_TWO)",
        )
    if np.any(zero_point != 0):
        raise ContractError(
            f"its zero point is {_shown(zero_point[zero_point != 0].ravel()[0])}, not 0",
            where=where,
            remedy="train symmetrically",
        )
    bits = int(bit_width.item())
    if bit_width.item() != bits:
        raise ContractError(
            f"its bit width {_shown(bit_width.item())} is not an integer",
            where=where,
            remedy="fix it before the export",
        )
    return bits, int(exponent) - 1


def _shown(value: float) -> str:
    """A number with as many digits as tell it apart from its neighbours in float32."""
    short = f"{value:g}"
    return short if np.float32(short) == value else f"{value:.9g}"


def _read_attributes(attributes: Mapping[str, Any], where: str) -> tuple[bool, Rounding]:
    """Whether it is signed, and its rounding mode."""
    for name in attributes:
        if name not in QUANT_DEFAULTS:
            raise ContractError(
                f"unknown attribute {name!r}", where=where, remedy=f"known attributes: {', '.join(QUANT_DEFAULTS)}"
            )
    rounding = attributes.get("rounding_mode", "ROUND")
    if rounding not in [mode.value for mode in Rounding]:
        raise ContractError(
            f"its rounding mode {rounding!r} is not supported", where=where, remedy="use ROUND (half-to-even) or FLOOR"
        )
    signed, narrow = _flag(attributes, "signed", 1, where), _flag(attributes, "narrow", 0, where)
    if narrow:
        raise ContractError("its range is narrow", where=where, remedy="train with the full two's complement range")
    return signed, Rounding(rounding)


def _flag(attributes: Mapping[str, Any], name: str, default: int, where: str) -> bool:
    value = attributes.get(name, default)
    # qonnx and onnxruntime read other values in different ways
    if type(value) is not int or value not in (0, 1):
        raise ContractError(
            f"its attribute {name!r} is {value!r}, expected 0 or 1", where=where, remedy="store it as an integer"
        )
    return bool(value)
