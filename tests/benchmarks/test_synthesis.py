"""The synthesis benchmark: measured figures, reused rows, and the page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rtl_extra import MISSING

from nanopelican_hls.benchmarks import synthesis as benchmark
from nanopelican_hls.benchmarks.synthesis import FORMS, Job, gather, jobs, peer, read_rows, run_jobs
from nanopelican_hls.benchmarks.synthesis_page import missed, page
from nanopelican_hls.cli import main
from nanopelican_hls.cli.bench_synth import CONVERSION, ROWS
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.report import JSON_KEYS
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.studies.forms import FormsStudy
from nanopelican_hls.topology.forms import SIZES
from nanopelican_hls.training.scales import calibrated

needs_rtl = pytest.mark.skipif(bool(MISSING), reason=f"needs the extra rtl: {', '.join(MISSING)}")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def figures(loss):
    test = {step: {"auc": auc, "rejection_30": 90.0} for step, auc in (("float", 0.96), ("quantised", 0.95))}
    return {"valid": {"float": {"loss": 1 - loss}, "quantised": {"loss": loss}}, "test": test}


def checkpoint(letter="c", n=4, seed=1):
    """An untrained network of a form, with N = 4 so that mapping takes seconds."""
    config = next(config for config in FormsStudy().configs() if config.name == f"form-{letter}-n8")
    config = replace(config, network=replace(config.network, n_constituents=n))
    net = FloatNetwork(config.network, nbar=config.training.nbar, seed=seed)
    description = calibrated(config, fold(net), port_values(read_jets(sample_path(), 200), config.network))
    return Checkpoint(config, seed, net.state_dict(), description, figures(0.1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of checkpoints, with one network named as if N = 8."""
    folder = tmp_path_factory.mktemp("forms")
    save_checkpoint(checkpoint(), folder / "form-c-n8.pt")
    return folder


@pytest.fixture(scope="module")
def row(trained, tmp_path_factory):
    if MISSING:
        pytest.skip("needs the extra rtl")
    found, _ = jobs("c", [8], trained, tmp_path_factory.mktemp("build"), 50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nanopelican_hls.flows.open.HOSTILE_EVENTS", 200)
        return benchmark.measure(found[0])


FEW_PIECES = {"z": {"lut": 900, "srl": 0, "ff": 0, "dsp": 0}, "delay": {"lut": 0, "srl": 950, "ff": 5, "dsp": 0}}


def fake_row(letter="a", size=8, **values):
    known = peer()["rows"][str(size)]
    used = {name: values.get(name, known[name] // 2) for name in ("lut", "ff", "dsp")}
    return {
        "name": f"form-{letter}-n{size}", "form": letter, "n_constituents": size,
        "tool_versions": {"pyosys": "0.70"}, "latency_cycles": 16, "latency_ns": values.get("latency_ns", 44.4), **used,
        "ratio_to_peer": benchmark._ratios(size, used),
        "rtl_vs_qonnx": {"events": 30_000, "mismatches": values.get("mismatches", 0)},
        "figures": benchmark._figures(figures(0.1)),
        "seconds": {"clock": 10.0, "processor": 8.0}, "peak_memory_mb": 300,
        "pieces": values.get("pieces", FEW_PIECES),
        "first_result_cycle": {"d": 5, "z": 9},
        "key": {},
    }  # fmt: skip


def test_the_peer():
    rows = peer()["rows"]
    assert tuple(map(int, rows)) == SIZES
    assert rows["16"] == {"latency_cycles": 15, "dsp": 370, "lut": 47346, "ff": 12662}


def test_a_row(row, trained):
    assert row.keys() >= set(JSON_KEYS)
    assert row["rtl_vs_qonnx"]["mismatches"] == 0
    assert row["rtl_vs_qonnx"]["events"] > 50
    assert row["form"] == "c"
    assert (row["n_constituents"], row["channels"], row["symmetric"], row["spurions"]) == (4, 4, True, "jet")
    assert row["dsp"] == row["counts"]["dsp"] > 0
    assert row["latency_cycles"] == row["counts"]["cycles"]
    assert sum(piece["lut"] + piece["srl"] for piece in row["pieces"].values()) == row["lut"]
    assert row["ratio_to_peer"]["lut"] == round(row["lut"] / 15143, 3)
    assert row["figures"]["quantised"] == {"auc": 0.95, "rejection_30": 90.0}
    assert row["seconds"]["processor"] > 0 < row["peak_memory_mb"]
    assert row["key"]["checkpoint"] == load_checkpoint(trained / "form-c-n8.pt").fingerprint


@needs_rtl
def test_rows_are_kept_until_something_changes(trained, row, tmp_path, monkeypatch):
    measured = []

    def measure(job):
        measured.append(job.build.name)
        return row | {"n_constituents": job.size, "form": job.form.letter, "key": benchmark.key(job)}

    monkeypatch.setattr(benchmark, "in_own_process", measure)
    path, done = tmp_path / "out" / "synthesis.json", []

    def run(events=50, **options):
        measured.clear(), done.clear()
        found, _ = jobs("cd", [8], trained, tmp_path, events)
        return run_jobs(found, path, lambda job, new: done.append((job.form.letter, new)), **options)

    rows = run()
    assert [r["form"] for r in rows] == ["c", "d"] == [r["form"] for r in read_rows(path)]
    assert done == [("c", True), ("d", True)]
    run()
    assert done == [("c", False), ("d", False)]
    assert measured == []
    run(again=True)
    assert measured == ["form-c-n8", "form-d-n8"]
    run(events=60)
    assert measured == ["form-c-n8", "form-d-n8"]


@needs_rtl
def test_a_killed_run_goes_on(trained, row, tmp_path, monkeypatch):
    def measure(job):
        if job.form.letter == "d" and not (tmp_path / "second").exists():
            raise KeyboardInterrupt
        return row | {"n_constituents": job.size, "form": job.form.letter, "key": benchmark.key(job)}

    monkeypatch.setattr(benchmark, "in_own_process", measure)
    path, (found, _) = tmp_path / "synthesis.json", jobs("cd", [8], trained, tmp_path, 50)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(found, path, lambda *_: None)
    assert [r["form"] for r in read_rows(path)] == ["c"]
    (tmp_path / "second").touch()
    news = []
    run_jobs(found, path, lambda _, new: news.append(new))
    assert news == [False, True]


def test_what_is_not_trained_is_named(trained, tmp_path):
    found, missing = jobs("abcd", [12, 8], trained, tmp_path, None)
    assert [(job.form.letter, job.size) for job in found] == [("c", 8), ("d", 8)]
    assert missing == ["form-a-n12.pt", "form-a-n8.pt", "form-b-n12.pt", "form-b-n8.pt", "form-c-n12.pt"]


def test_gather_takes_the_best_seed(tmp_path):
    for seed, loss in ((1, 0.3), (2, 0.2), (3, 0.25)):
        folder = tmp_path / "study" / "runs" / "form-c-n8" / f"seed{seed}"
        folder.mkdir(parents=True)
        save_checkpoint(checkpoint(seed=seed), folder / "best.pt")
        (folder / "result.json").write_text(json.dumps({"figures": figures(loss)}))
    # an unfinished run
    (tmp_path / "study" / "runs" / "form-c-n12" / "seed1").mkdir(parents=True)
    for runs in (tmp_path / "study", tmp_path / "study" / "runs"):
        (copy,) = gather(runs, tmp_path / "copies")
        found = load_checkpoint(copy)
        assert copy.name == "form-c-n8.pt"
        assert found.seed == 2
        assert found.metrics == figures(0.2)


def test_gather_without_runs(tmp_path):
    with pytest.raises(SynthesisError, match="has no finished run"):
        gather(tmp_path, tmp_path / "copies")


@pytest.mark.parametrize("content", ["", "{}", '[{"form": "a"}]', "[1]"])
def test_a_broken_file_is_not_overwritten(tmp_path, content):
    path = tmp_path / "synthesis.json"
    path.write_text(content if content != "{}" else '{"a": 1}')
    with pytest.raises(SynthesisError, match="is not a benchmark result"):
        read_rows(path)


def test_aims():
    assert missed(FORMS["a"], fake_row("a", dsp=110, lut=10_600)) == []
    assert missed(FORMS["a"], fake_row("a", dsp=111, lut=10_620)) == ["dsp", "lut"]
    assert missed(FORMS["b"], fake_row("b", dsp=138, lut=7_572)) == []
    assert missed(FORMS["b"], fake_row("b", lut=7_590)) == ["lut"]
    assert missed(FORMS["d"], fake_row("d", dsp=1, lut=15_143)) == ["dsp"]
    assert missed(FORMS["c"], fake_row("c", latency_ns=50.0)) == ["latency"]


def test_the_page_names_what_misses_and_what_costs_it():
    text = page([fake_row("a", lut=12_000), fake_row("b", latency_ns=50.1), fake_row("d", dsp=0)])
    assert "**12,000 (0.79)**" in text
    assert "* N = 8, LUT: `delay` 950 (8%), `z` 900 (8%)" in text
    assert "**50.1**" in text
    assert "* N = 8, latency: `d` in cycle 5, `z` in cycle 9" in text
    assert "0 (0.00)" in text
    assert text.count("Missed targets") == 2
    assert "| 8 | 0.9600 | 0.9500 | 90 | 90 |" in text
    assert "## (c)" not in text


def test_every_piece_is_in_one_part():
    pieces = {name: {"lut": 1, "srl": 10, "ff": 100, "dsp": 1000} for name in PIECES}
    lines = page([fake_row("a", pieces=pieces), fake_row("a", size=12)]).splitlines()
    shown = {cells[1].strip(): cells[2].strip() for line in lines if len(cells := line.split("|")) == 5}
    assert shown == {
        "part": "N = 8",
        "---": "---",
        "products of momenta, their sums and quantisers": "5 / 50 / 500 / 5,000",
        "row sums, total": "3 / 30 / 300 / 3,000",
        "row, column and diagonal terms": "5 / 50 / 500 / 5,000",
        "pair level": "1 / 10 / 100 / 1,000",
        "sums over pairs and diagonal": "2 / 20 / 200 / 2,000",
        "mask, logit": "2 / 20 / 200 / 2,000",
        "shift registers between pieces": "1 / 10 / 100 / 1,000",
        "`unheard_of`": "1 / 10 / 100 / 1,000",
    }
    assert "| pair level | 1 / 10 / 100 / 1,000 | 900 / 0 / 0 / 0 |" in lines


PIECES = (
    *("product", "booth", "d_exact", "d_jet_exact_sum0", "d_jj_exact_total"),
    *("r_exact", "r_exact_jet", "s_exact"),
    *("row_exact_shared", "row_exact", "column_exact", "g", "g_jet"),
    *("z", "pair_sum_exact", "diagonal_sum_exact", "mask", "logit_exact", "delay", "unheard_of"),
)


def test_the_stored_page_is_that_of_the_stored_rows(tmp_path, capsys):
    for name in (ROWS, CONVERSION):
        (tmp_path / name).write_bytes((BENCHMARKS / name).read_bytes())
    assert main(["bench-synth", "--page", "--output", str(tmp_path)]) == 0
    text = (tmp_path / "synthesis.md").read_text()
    assert text == (BENCHMARKS / "synthesis.md").read_text()
    assert text in capsys.readouterr().out


def test_no_stored_row(tmp_path, capsys):
    assert main(["bench-synth", "--page", "--output", str(tmp_path)]) == 2
    assert "synthesis.json: has no rows" in capsys.readouterr().err


def test_forms_and_sizes_are_those_that_are_trained():
    trained = {config.name for config in FormsStudy().configs()}
    assert trained == {f"form-{form.network}-n{size}" for form in FORMS.values() for size in SIZES}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--forms", "ax"], "is not a form"),
        (["--sizes", "9"], "is not a size of the benchmark"),
        (["--events", "0"], "must be at least 1"),
        ([], "contains none of the networks"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path, capsys):
    assert main(["bench-synth", "--checkpoints", str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err


@needs_rtl
def test_the_command(trained, tmp_path, capsys, monkeypatch, row):
    monkeypatch.setattr(benchmark, "in_own_process", lambda job: row | {"n_constituents": 8, "key": benchmark.key(job)})
    folders = ["--checkpoints", str(trained), "--build", str(tmp_path), "--output", str(tmp_path / "out")]
    folders += ["--words", str(tmp_path / "none.pt")]
    assert main(["bench-synth", *folders, "--forms", "c", "--sizes", "8", "--events", "50"]) == 0
    assert (tmp_path / "out" / "synthesis.md").read_text() in capsys.readouterr().out


@pytest.mark.parametrize(("letter", "most"), [("a", 974), ("b", None), ("c", 974), ("d", 0)])
def test_the_aims_limit_the_dsps(letter, most, tmp_path):
    assert Job(FORMS[letter], 32, tmp_path, None, tmp_path).most_dsps == most


def test_costs_grow_with_size(tmp_path):
    def cost(letter, size):
        return Job(FORMS[letter], size, tmp_path, None, tmp_path).cost

    assert cost("a", 8) < cost("a", 16) < cost("a", 32)
    assert cost("c", 16) < cost("d", 16)
