"""Jets of each process, a handful, made by the real generator."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from jet_files import write_lhc_jets

from nanopelican_hls.cli import main
from nanopelican_hls.jets import read_jets
from nanopelican_hls.jets.container import pt_gev
from nanopelican_hls.jets.generation import PROCESSES, ChunkKey, Recipe, generate_jets
from nanopelican_hls.jets.generation.chunks import make_chunk
from nanopelican_hls.jets.generation.events import Batch
from nanopelican_hls.jets.generation.selection import matched_truth

FIVE = ("g", "q", "W", "Z", "t")
#: masses in GeV of what decays
MASSES = {"W": 80.4, "Z": 91.2, "H": 125.0, "t": 173.0}
#: jets of a chunk here
JETS = 12


@pytest.fixture(scope="module", params=["g", "q", "W", "Z", "H", "t"])
def made(request):
    """A process, and a chunk of its jets."""
    recipe = Recipe(jets=JETS, seed=4, processes=(request.param,))
    return request.param, make_chunk(recipe, recipe.chunks()[0])


def mass_gev(momenta):
    energy, px, py, pz = momenta.astype(np.float64).T
    return np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0))


def direction(momenta):
    _, px, py, pz = momenta.astype(np.float64).T
    return np.arcsinh(pz / np.hypot(px, py)), np.arctan2(py, px)


class TestEachProcess:
    def test_truth_is_where_the_jet_is(self, made):
        process, chunk = made
        (eta, phi), (jet_eta, jet_phi) = map(direction, (chunk.truth_four_momentum, chunk.jet_four_momentum))
        d_phi = (phi - jet_phi + np.pi) % (2 * np.pi) - np.pi
        assert (np.hypot(eta - jet_eta, d_phi) < 0.8).all()
        if process in MASSES:  # partons of the hard process recoil against radiation of the beams
            ratio = pt_gev(chunk.jet_four_momentum) / pt_gev(chunk.truth_four_momentum)
            assert np.median(ratio) == pytest.approx(1, abs=0.05)

    def test_truth_has_its_mass(self, made):
        process, chunk = made
        mass = mass_gev(chunk.truth_four_momentum)
        if process in MASSES:
            assert mass == pytest.approx(MASSES[process], abs=20)
            assert np.median(mass) == pytest.approx(MASSES[process], abs=2)
        else:
            assert (mass < 1).all()  # s quarks have 0.5 GeV

    def test_most_jets_have_the_mass_ungroomed(self, made):
        """Of what is in the jet, without grooming: other particles add to it, neutrinos of b quarks take away."""
        process, chunk = made
        mass = mass_gev(chunk.jet_four_momentum)
        if process in MASSES:
            assert np.mean(np.abs(mass - MASSES[process]) < 25) > 0.7
            assert np.median(mass) == pytest.approx(MASSES[process], abs=10)


def test_gluon_jets_have_more_constituents_than_quark_jets():
    multiplicity = {
        name: make_chunk(Recipe(jets=JETS, seed=5, processes=(name,)), ChunkKey(name, 0, JETS)).multiplicity.mean()
        for name in ("g", "q")
    }
    assert multiplicity["g"] > 1.2 * multiplicity["q"]


def test_t_is_top(recipe):
    chunks = [
        make_chunk(Recipe(jets=4, seed=recipe.seed, processes=(name,)), ChunkKey(name, 0, 4)) for name in ("top", "t")
    ]
    assert np.array_equal(chunks[0].four_momenta, chunks[1].four_momenta)


class TestSeveralClasses:
    def test_every_jet_has_its_class(self, five_classes):
        jets = read_jets(five_classes)
        assert jets.classes == FIVE
        assert np.bincount(jets.labels).tolist() == [3] * 5
        with h5py.File(five_classes, "r") as file:
            assert file["label"].dtype == np.int8
            assert "is_signal" not in file
            truth, events = file["truth_Pmu"][:], {name: file.attrs[f"events_{name}"] for name in FIVE}
        assert min(events.values()) > 3
        for label, name in enumerate(FIVE):
            assert mass_gev(truth[jets.labels == label]) == pytest.approx(MASSES.get(name, 0), abs=20)

    def test_are_mixed(self, five_classes):
        assert (np.diff(read_jets(five_classes).labels) != 0).sum() > 5

    def test_same_bytes_in_several_processes(self, five_classes, tmp_path):
        command = ["jets", "generate", "--jets", "15", "--seed", "3", "--chunk", "2", "--jobs", "2"]
        assert main([*command, str(tmp_path / "two.h5"), "--process", *FIVE]) == 0
        assert (tmp_path / "two.h5").read_bytes() == five_classes.read_bytes()

    def test_as_signal_and_background(self, five_classes):
        jets, binary = read_jets(five_classes), read_jets(five_classes, signal=["W", "Z"])
        assert binary.classes is None
        assert np.array_equal(binary.labels, np.isin(jets.labels, [2, 3]))

    def test_in_the_layout_of_the_lhc_jet_set(self, five_classes, tmp_path):
        jets = read_jets(five_classes)
        write_lhc_jets(tmp_path / "lhc.h5", jets)
        read = read_jets(tmp_path / "lhc.h5", classes=FIVE)
        assert read.classes == FIVE
        assert np.array_equal(read.labels, jets.labels)
        assert np.array_equal(read.four_momenta, jets.four_momenta)
        other = read_jets(tmp_path / "lhc.h5", classes=["t", "Z", "W", "q", "g"])
        assert np.array_equal(other.labels, 4 - jets.labels)
        assert np.array_equal(read_jets(tmp_path / "lhc.h5").labels, jets.labels == 4)


class TestBesideQcd:
    """Signal and background, like top and QCD."""

    def test_is_signal(self, tmp_path):
        generate_jets(Recipe(jets=6, seed=3, processes=("qcd", "W")), tmp_path / "jets.h5")
        jets = read_jets(tmp_path / "jets.h5")
        with h5py.File(tmp_path / "jets.h5", "r") as file:
            assert "label" not in file
            assert np.array_equal(file["truth_Pmu"][:].any(axis=1), jets.labels == 1)
        assert jets.classes is None
        assert np.bincount(jets.labels).tolist() == [3, 3]
        assert np.array_equal(read_jets(tmp_path / "jets.h5", classes=["W", "qcd"]).labels, 1 - jets.labels)

    def test_one_process_alone(self, tmp_path):
        assert main(["jets", "generate", "--jets", "2", "--process", "H", "--", str(tmp_path / "jets.h5")]) == 0
        jets = read_jets(tmp_path / "jets.h5")
        assert (jets.classes, jets.labels.tolist()) == (("H",), [0, 0])

    def test_refused(self, tmp_path, capsys):
        assert main(["jets", "generate", str(tmp_path / "jets.h5"), "--process", "b"]) == 2
        assert "processes: is unknown: 'b'\n  remedy: use some of top, qcd, g, q, W, Z, H, t" in capsys.readouterr().err


class TestMatching:
    """On event records of a few particles, all along x but for what is moved away."""

    @staticmethod
    def batch(*particles) -> Batch:
        """Particles (PDG id, status, first daughter, last daughter, azimuth)."""
        pdg_id, status, first, last, phi = np.array(particles, dtype=float).T
        momentum = 100 * np.stack([np.ones_like(phi), np.cos(phi), np.sin(phi), np.zeros_like(phi)], axis=1)
        momentum[:, 0] += np.arange(len(phi))  # tells them apart
        integers = [np.array(values, dtype=np.int64) for values in (pdg_id, status, first, last)]
        return Batch(
            start=np.array([0, len(phi)]),
            pdg_id=integers[0],
            status=integers[1],
            daughters=np.stack(integers[2:], axis=1),
            momentum=momentum,
            vertex_m=np.zeros((len(phi), 3)),
        )

    @staticmethod
    def matched(process: str, *particles) -> int | None:
        """Position of the particle that a jet along x is matched to."""
        found = matched_truth(TestMatching.batch(*particles), 0, PROCESSES[process], 0.0, 0.0, 0.8)
        return None if found is None else int(found[0] - 100)

    def test_a_decay_is_that_of_the_last_copy(self):
        quarks = (2, -23, 0, 0, 0), (-1, -23, 0, 0, 0)
        assert self.matched("W", (90, 11, 0, 0, 0), (24, -22, 2, 2, 0), (24, -62, 3, 4, 0), *quarks) == 2

    @pytest.mark.parametrize("moved", [1, 2, 3])
    def test_the_particle_and_its_quarks_are_near(self, moved):
        particles = [[90, 11, 0, 0, 0], [25, -62, 2, 3, 0], [5, -23, 0, 0, 0], [-5, -23, 0, 0, 0]]
        assert self.matched("H", *particles) == 1
        particles[moved][4] = 0.9
        assert self.matched("H", *particles) is None

    def test_leptons_are_no_quarks(self):
        assert self.matched("Z", (90, 11, 0, 0, 0), (23, -62, 2, 3, 0), (11, 23, 0, 0, 0), (-11, 23, 0, 0, 0)) is None

    def test_a_top_has_three_quarks(self):
        top = [
            (90, 11, 0, 0, 0), (6, -62, 2, 3, 0), (24, -22, 4, 4, 0), (5, -23, 0, 0, 0),
            (24, -52, 5, 6, 0), (2, -23, 0, 0, 0), (-1, -23, 0, 0, 0),
        ]  # fmt: skip
        assert self.matched("top", *top) == 1
        assert self.matched("W", *top) == 4
        assert self.matched("top", *top[:-1], (-1, -23, 0, 0, 1.0)) is None

    def test_a_parton_is_one_of_the_hard_process(self):
        incoming, radiated = (21, -21, 3, 4, 0), (21, -51, 0, 0, 0)
        assert self.matched("g", incoming, radiated, (21, -23, 0, 0, 0.7)) == 2
        assert self.matched("g", incoming, radiated, (21, -23, 0, 0, 0.9)) is None
        assert self.matched("g", incoming, radiated, (1, -23, 0, 0, 0)) is None

    def test_a_quark_jet_is_light(self):
        assert self.matched("q", (90, 11, 0, 0, 0), (-3, -23, 0, 0, 0)) == 1
        assert self.matched("q", (90, 11, 0, 0, 0), (4, -23, 0, 0, 0)) is None
