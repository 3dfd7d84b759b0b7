"""A sample that takes seconds, generated once with the real generator."""

from __future__ import annotations

import pytest

from nanopelican_hls.jets.generation import Recipe, generate_jets


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Two chunks per class, the last one smaller."""
    return Recipe(jets=14, seed=3, chunk_jets=4)


@pytest.fixture(scope="session")
def five_classes(tmp_path_factory):
    """A file of five processes, three jets of each in two chunks."""
    path = tmp_path_factory.mktemp("generation") / "five.h5"
    generate_jets(Recipe(jets=15, seed=3, chunk_jets=2, processes=("g", "q", "W", "Z", "t")), path)
    return path


@pytest.fixture(scope="session")
def unbroken(recipe, tmp_path_factory):
    """Its file, made in one run."""
    path = tmp_path_factory.mktemp("generation") / "unbroken.h5"
    generate_jets(recipe, path)
    return path
