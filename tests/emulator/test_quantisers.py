"""Rounding and saturation, of real numbers at the ports and of integers inside, against the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from emulators import build, quantisers_program

from nanopelican_hls.fixed_point import Quantiser, Rounding

#: finer and coarser than the port's grid, by one bit and by more than all of its bits
EXPONENTS = (-40, -9, -4, -3, -2, -1, 0, 3, 9, 40)


@pytest.mark.parametrize("signed", [False, True])
def test_every_integer_of_a_port(signed, tmp_path):
    port = Quantiser(9, signed, -3)
    quantisers = tuple(
        Quantiser(bits, other, exponent, rounding)
        for bits, other, exponent, rounding in itertools.product((2, 5, 24), (False, True), EXPONENTS, Rounding)
    )
    emulator = build(quantisers_program(port, quantisers), tmp_path / "emulator")
    x = np.ldexp(np.arange(port.low, port.high + 1.0), port.exponent)[:, None]
    found = emulator.predict({"x": x})
    for k, quantiser in enumerate(quantisers):
        np.testing.assert_array_equal(found[f"y{k}"], quantiser(x), err_msg=str(quantiser))


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("bits", [3, 12, 16, 24])
@pytest.mark.parametrize("signed", [False, True])
def test_real_numbers_at_a_port(rounding, bits, signed, tmp_path):
    port = Quantiser(bits, signed, -2, rounding)
    emulator = build(quantisers_program(port, (Quantiser(2, True, 0),)), tmp_path / "emulator", optimisation="-O2")
    rng = np.random.default_rng(1)
    integers = np.concatenate([rng.integers(port.low, port.high + 1, 200), [port.low, port.high, 0, 1, -1]])
    ties = np.ldexp(np.concatenate([integers + 0.5, integers - 0.5, integers]), port.exponent)
    far = np.array([1e300, 1e12, 2.0**31, 2.0**52, 2.0**53 + 2, 5e-324, 0.0, np.inf])
    x = np.concatenate([ties, np.nextafter(ties, np.inf), np.nextafter(ties, -np.inf), far, -far])[:, None]
    found, _ = emulator.run({"x_in": x}, traced=True)[::-1]
    np.testing.assert_array_equal(found["x"], port.integers(x))


def test_nan_becomes_the_lowest_integer(tmp_path):
    """Python refuses it; C++ cannot, but has a result."""
    port = Quantiser(5, True, 0)
    emulator = build(quantisers_program(port, (Quantiser(2, True, 0),)), tmp_path / "emulator")
    _, tensors = emulator.run({"x_in": np.array([[np.nan]])}, traced=True)
    assert tensors["x"].item() == port.low


def test_integers_at_a_port_saturate(tmp_path):
    port = Quantiser(5, True, 0)
    emulator = build(quantisers_program(port, (Quantiser(2, True, 0),)), tmp_path / "emulator")
    x = np.array([-32768, -17, -16, 0, 15, 16, 32767], dtype=np.int16)[:, None]
    _, tensors = emulator.run({"x_in": x}, traced=True)
    np.testing.assert_array_equal(tensors["x"], np.clip(x, -16, 15))
