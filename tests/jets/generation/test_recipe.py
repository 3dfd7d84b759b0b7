from __future__ import annotations

import dataclasses
import json

import pytest

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.generation import PROCESSES, Recipe
from nanopelican_hls.jets.generation.chunks import fingerprint
from nanopelican_hls.jets.generation.processes import MIXING_STREAM
from nanopelican_hls.jets.generation.recipe import MAX_PYTHIA_SEED, provenance


def test_chunks_alternate_and_add_up(recipe):
    chunks = recipe.chunks()
    assert [(key.process, key.index, key.jets) for key in chunks] == [
        *[("top", 0, 4), ("qcd", 0, 4), ("top", 1, 3), ("qcd", 1, 3)]
    ]


def test_every_chunk_has_a_seed_of_its_own(recipe):
    settings = [recipe.pythia_settings(key)[-1] for key in dataclasses.replace(recipe, jets=2000).chunks()]
    assert len(set(settings)) == len(settings)
    seeds = [int(setting.split("=")[1]) for setting in settings]
    assert min(seeds) > 0 and max(seeds) <= MAX_PYTHIA_SEED


def test_a_chunk_does_not_depend_on_the_size_of_the_sample(recipe):
    key = recipe.chunks()[1]
    larger = dataclasses.replace(recipe, jets=10_000)
    assert larger.chunks()[1] == key
    assert larger.pythia_settings(key) == recipe.pythia_settings(key)
    assert fingerprint(larger) == fingerprint(recipe)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"n_constituents": 80},
        {"card": "atlas-3.3.2"},
        {"multiple_interactions": True},
        {"chunk_jets": 6},
        {"radius": 1.0},
    ],
)
def test_fingerprint_knows_what_decides_the_jets(recipe, change):
    assert fingerprint(dataclasses.replace(recipe, **change)) != fingerprint(recipe)


def test_provenance(recipe):
    attributes = provenance(recipe)
    assert attributes["seed"] == 3
    assert json.loads(attributes["recipe"])["pthat_max_gev"] == 1000.0
    assert json.loads(attributes["card"])["description"] == "Delphes 3.3.3 ATLAS card emulation"
    assert set(json.loads(attributes["versions"])) == {"pythia8mc", "fastjet", "numpy", "nanopelican-hls", "python"}
    assert "PartonLevel:MPI = off" in json.loads(attributes["pythia_settings"])["top"]


def test_the_default_recipe_is_what_it_was_before_there_were_others(recipe, monkeypatch):
    monkeypatch.setattr("nanopelican_hls.jets.generation.recipe.versions", lambda _: {})
    assert fingerprint(recipe) == "5d8b50fe356d31a9"


@pytest.mark.parametrize(
    ("processes", "binary", "classes"),
    [
        (("W", "qcd"), True, ("qcd", "W")),
        (("qcd", "t"), True, ("qcd", "t")),
        (("Z", "W"), False, ("Z", "W")),
        (("W",), False, ("W",)),
        (("qcd",), False, ("qcd",)),
        (("g", "q", "W", "Z", "t"), False, ("g", "q", "W", "Z", "t")),
        (["top", "qcd", "H"], False, ("top", "qcd", "H")),
    ],
)
def test_classes(processes, binary, classes):
    recipe = Recipe(jets=30, processes=processes)
    assert (recipe.binary, recipe.classes) == (binary, classes)
    assert json.loads(provenance(recipe)["recipe"])["processes"] == list(processes)
    assert len(fingerprint(recipe)) == 16


def test_every_process_is_in_the_provenance():
    attributes = provenance(Recipe(jets=2, processes=("W", "g")))
    assert "WeakDoubleBoson:ffbar2WW = on" in json.loads(attributes["pythia_settings"])["W"]
    assert attributes["selection"] == (
        "leading anti-kT jet of the event; W jets with the W and its two quarks within the radius; "
        "gluon jets with a gluon of the hard process within the radius"
    )


def test_every_process_has_random_numbers_of_its_own():
    streams = {name: process.stream for name, process in PROCESSES.items()}
    assert streams.pop("t") == streams["top"]
    assert len({MIXING_STREAM, *streams.values()}) == 1 + len(streams)


def test_multiple_interactions_are_a_choice(recipe):
    chosen = dataclasses.replace(recipe, multiple_interactions=True)
    assert "PartonLevel:MPI = on" in json.loads(provenance(chosen)["pythia_settings"])["qcd"]
    assert "PartonLevel:MPI = on" in chosen.pythia_settings(chosen.chunks()[0])


@pytest.mark.parametrize("jets", [0, 1, -2, 15])
def test_halves(jets):
    with pytest.raises(JetsError, match=f"{jets} jets cannot be divided equally among top, qcd"):
        Recipe(jets=jets)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"chunk_jets": 0}, "chunk_jets: must be at least 1, not 0"),
        ({"n_constituents": -1}, "n_constituents: must be at least 1, not -1"),
        ({"seed": -1}, "seed: must not be negative"),
        ({"card": "cms"}, "card: is unknown: 'cms'"),
        ({"pt_max_gev": 500.0}, "pt: the range 550 to 500 is empty"),
        ({"pthat_min_gev": 2000.0}, "pthat: the range 2000 to 1000 is empty"),
        ({"radius": 0.0}, "radius: must be positive"),
        ({"processes": ("qcd", "w", "b")}, "processes: is unknown: 'w', 'b'"),
        ({"processes": ()}, "processes: names none"),
        ({"processes": ("t", "qcd", "top")}, "processes: names one twice: t, qcd, top"),
    ],
)
def test_bad_numbers(change, what):
    with pytest.raises(JetsError) as caught:
        Recipe(jets=10, **change)
    assert str(caught.value).startswith(what)


def test_labels(recipe):
    assert recipe.binary
    assert [recipe.classes.index(process) for process in recipe.processes] == [1, 0]
