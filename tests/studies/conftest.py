"""Jets for studies: a small part of the shipped sample."""

from __future__ import annotations

import pytest

from nanopelican_hls.jets import read_jets, sample_path, write_jets


@pytest.fixture(scope="session")
def jets_file(tmp_path_factory):
    """600 jets, all signal first."""
    path = tmp_path_factory.mktemp("jets") / "all.h5"
    jets = read_jets(sample_path(), events=600)
    write_jets(path, jets[(-jets.labels).argsort(kind="stable")], {})
    return path
