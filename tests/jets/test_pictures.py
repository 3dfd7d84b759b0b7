from __future__ import annotations

import dataclasses
import sys

import h5py
import pytest
from jet_files import write_jetclass, write_lhc_jets

from nanopelican_hls.cli import main
from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import write_jets
from nanopelican_hls.jets.histograms import fill
from nanopelican_hls.jets.pictures import SMALLEST_SHARE, check_destination, draw_jets, save_picture

MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF"}


@pytest.fixture
def figure(jets):
    pytest.importorskip("matplotlib")
    return draw_jets(fill([jets], 8), "twelve jets", n_constituents=8)


class TestFigure:
    def test_shows_every_quantity(self, figure):
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        assert titles == [
            "Constituents per jet",
            "Jet mass",
            "Constituent pT",
            "Products $d_{ij}$ of the leading 8 constituents",
            "What a width clips",
        ]
        assert figure.get_suptitle() == "twelve jets"

    def test_shows_every_class_in_every_panel(self, figure):
        for axes in figure.axes:
            legend = [text.get_text() for text in axes.get_legend().get_texts()]
            assert [text.split(",")[0].split(":")[0] for text in legend] == ["signal", "background"]

    def test_gives_the_share_clipped_at_a_width(self, jets):
        classes = fill([jets], 8)
        figure = draw_jets(classes, "", n_constituents=8, bits=3)
        texts = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
        share = 100 * classes["signal"].share_clipped_at(3)
        assert texts[0] == f"signal: {share:.2g}% clipped at 3 bits"

    def test_no_matplotlib(self, jets, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(JetsError, match="a picture needs matplotlib") as caught:
            draw_jets(fill([jets], 8), "", n_constituents=8)
        assert caught.value.remedy == 'pip install "nanopelican-hls[pictures]"'

    def test_no_constituents_at_all(self, jets):
        empty = type(jets)(four_momenta=jets.four_momenta * 0, jet_four_momentum=jets.jet_four_momentum,
                           multiplicity=jets.multiplicity)  # fmt: skip
        with pytest.raises(JetsError, match="no jet has constituents"):
            draw_jets(fill([empty], 8), "", n_constituents=8)

    def test_no_products(self, jets):
        """One constituent per jet."""
        figure = draw_jets(fill([jets.leading(1).leading(2)], 8), "", n_constituents=8)
        figure.draw_without_rendering()
        *_, products, clipped = figure.axes
        assert len(products.patches) == 4  # two classes, each as outline and fill
        assert not any(patch.get_data().values.any() for patch in products.patches)
        assert not any((line.get_ydata() > SMALLEST_SHARE).any() for line in clipped.lines[:2])
        legend = [text.get_text() for text in clipped.get_legend().get_texts()]
        assert legend == [f"{label}: nothing clipped at 0 bits" for label in ("signal", "background")]


class TestSaving:
    @pytest.mark.parametrize("suffix", MAGIC)
    def test_png_and_pdf(self, tmp_path, figure, suffix):
        path = tmp_path / f"jets{suffix}"
        save_picture(figure, path)
        assert path.read_bytes().startswith(MAGIC[suffix])
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("name", ["jets.jpg", "jets"])
    def test_other_formats(self, tmp_path, name):
        with pytest.raises(JetsError, match="a picture cannot be written as") as caught:
            check_destination(tmp_path / name, force=False)
        assert caught.value.remedy == "name it jets.png or jets.pdf"

    def test_an_existing_file_is_replaced_only_by_force(self, tmp_path, figure):
        path = tmp_path / "jets.png"
        path.write_text("mine")
        with pytest.raises(JetsError, match="already exists"):
            save_picture(figure, path)
        assert path.read_text() == "mine"
        save_picture(figure, path, force=True)
        assert path.read_bytes().startswith(MAGIC[".png"])

    def test_no_folder(self, tmp_path, figure):
        with pytest.raises(JetsError, match="cannot be written"):
            save_picture(figure, tmp_path / "missing" / "jets.png")


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch, jets):
        monkeypatch.chdir(tmp_path)
        write_jets("jets.h5", jets, {})
        return tmp_path

    def test_draws(self, folder, capsys):
        assert main(["jets", "show", "jets.h5", "--bits", "5"]) == 0
        assert (folder / "jets.png").read_bytes().startswith(MAGIC[".png"])
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("signal: 6 jets, mean multiplicity 11.0, mean mass ")
        assert lines[0].endswith("% of d_ij clipped at 5 bits")
        assert lines[2] == "written: jets.png"

    def test_another_layout_with_chosen_classes(self, folder, jets, capsys):
        write_lhc_jets(folder / "lhc.h5", jets)
        write_jetclass(folder / "jets.root", jets)
        assert main(["jets", "show", "lhc.h5", "--signal", "w", "z"]) == 0
        assert main(["jets", "show", "jets.root", "--output", "root.pdf", "--events", "6"]) == 0
        output = capsys.readouterr().out
        assert "signal: 2 jets" in output
        assert "signal: 3 jets" in output

    def test_classes_with_names(self, folder, jets, capsys):
        names = ("g", "W", "t")
        write_jets(folder / "3.h5", dataclasses.replace(jets, labels=jets.multiplicity % 3, classes=names), {})
        assert main(["jets", "show", "3.h5"]) == 0
        assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()[:3]] == [
            f"{name}: 4 jets" for name in names
        ]

    def test_existing_picture(self, folder, capsys):
        (folder / "jets.png").write_text("mine")
        assert main(["jets", "show", "jets.h5"]) == 2
        assert "jets.png: already exists" in capsys.readouterr().err
        assert main(["jets", "show", "jets.h5", "--force"]) == 0

    def test_wrong_layout(self, folder, capsys):
        with h5py.File(folder / "other.h5", "w") as file:
            file["events"] = [1]
        assert main(["jets", "show", "other.h5"]) == 2
        assert "Layouts tried: PELICAN" in capsys.readouterr().err
        assert not (folder / "other.png").exists()
