import pytest
import yaml

from nanopelican_hls.config import load_config
from nanopelican_hls.errors import ConfigError

MINIMAL = """
network: {n_constituents: 4, channels: 1}
quantisers: {momenta: {bits: 8}, logit: {bits: 8}, weights: {bits: 8}, biases: {bits: 8}}
"""


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001"])
def test_numbers_are_read_as_they_are_written(tmp_path, text):
    """YAML 1.1 takes 1e-3, without a point, for text."""
    path = tmp_path / "model.yaml"
    path.write_text(f"{MINIMAL}training: {{learning_rate: {text}}}\n")
    assert load_config(path).training.learning_rate == 1e-3


@pytest.mark.parametrize("text", ["fast", "true", "[1]"])
def test_what_is_no_number_is_refused_by_its_key(tmp_path, text):
    path = tmp_path / "model.yaml"
    path.write_text(f"{MINIMAL}training: {{learning_rate: {text}}}\n")
    value = yaml.safe_load(text)
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert str(error.value).startswith(f"{path}: training: learning_rate: must be of type float, not {value!r}")
