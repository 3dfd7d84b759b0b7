"""``nanopelican equivariance``: effect of Lorentz transformations on a float and on a quantised network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import Table, csv_text, emit
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.cli.trained import CHECKPOINT, add_models, trained_file

if TYPE_CHECKING:
    from nanopelican_hls.analysis.equivariance import Drift
    from nanopelican_hls.jets import Jets
    from nanopelican_hls.network.model import TrainedModel

#: largest accepted change of the float network's logit, in units of max(1, |logit|)
TOLERANCE = 1e-9
#: largest number of jets that calibrate a requantised network
CALIBRATION_JETS = 2048
#: velocity at which widths are compared
WIDTH_BETA = 0.5
WIDTHS = {"cartesian": range(6, 19, 2), "light_cone": range(5, 13)}


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, _: args.output,
    outputs=("equivariance-*.csv",),
    sources={"model": ".pt"},
    redirected=("output",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "equivariance",
        help="check Lorentz invariance, and measure how far quantisation breaks it",
        description="Boost and rotate jets together with their spurions. The float network's logit must not change "
        "(exit status 1 if it does, by more than 1e-9 of max(1, |logit|)). The drift of the quantised network is "
        "written to equivariance-NAME.csv and .png.",
    )
    parser.add_argument("model", help=f"{CHECKPOINT}; or configuration (FILE.yaml) of a model in --models")
    parser.add_argument("--jets", type=Path, help="file of labelled jets (default: the shipped sample)")
    parser.add_argument("--events", type=positive, default=4000, help="number of jets to transform (default: 4000)")
    parser.add_argument("--output", type=Path, default=Path(), help="output folder (default: the current one)")
    add_models(parser)
    parser.add_argument(
        "--betas",
        type=_velocity,
        nargs="+",
        default=[k / 10 for k in range(10)],
        help="velocities of the boosts (default: 0 to 0.9)",
    )
    parser.add_argument(
        "--widths", type=positive, nargs="*", help="momentum widths to scan, in bits (no values: no scan)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the transformations (default: 1)")


def _velocity(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1, the speed of light, not {text!r}")
    return value


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the float network is invariant, otherwise 1."""
    import torch

    from nanopelican_hls.analysis.equivariance import float_deviation

    torch.set_num_threads(1)  # the arrays are too small to gain from threads
    model = _model(args.model, args.models)
    name = model.config.name
    calibration, jets = _jets(args, model)
    deviation = float_deviation(model.float_network, jets, args.betas, args.seed)
    print(
        f"{name}, float: largest change of a logit {deviation:.1e} of max(1, |logit|), {len(jets)} jets, "
        f"|beta| up to {max(args.betas):g}: {'invariant' if deviation <= TOLERANCE else 'NOT INVARIANT'}"
    )
    rows: list[dict[str, Any]] = []
    if model.checkpoint.description is None:
        print(f"{name} has no quantised network")
    else:
        rows = _measure(args, model, calibration, jets)
    invariant = deviation <= TOLERANCE
    emit(args, {"model": name, "jets": len(jets), "float_deviation": deviation, "invariant": invariant, "drifts": rows})
    return ExitStatus.of_check(not invariant)


def _model(source: str, models: Path | None) -> TrainedModel:
    from nanopelican_hls.config import load_config
    from nanopelican_hls.network.model import load_model

    if not source.endswith((".yaml", ".yml")):
        return load_model(source)
    config = load_config(source)
    return load_model(trained_file(source, config, models, ".pt"), config)


def _jets(args: argparse.Namespace, model: TrainedModel) -> tuple[Jets, Jets]:
    """Disjoint sets of jets: those for the calibration, and those to transform."""
    from nanopelican_hls.evaluation.metrics import require_every_class
    from nanopelican_hls.jets import read_jets, sample_path

    path = args.jets or sample_path()
    network = model.config.network
    jets = read_jets(path, CALIBRATION_JETS + args.events, classes=network.classes or None)
    jets = jets.leading(network.n_constituents)
    first = min(CALIBRATION_JETS, max(len(jets) // 2, len(jets) - args.events))
    calibration, rest = jets[:first], jets[first:]
    for part in (calibration, rest):
        require_every_class(part.labels_of(network.classes, str(path)), str(path), network.classes)
    return calibration, rest


def _measure(args: argparse.Namespace, model: TrainedModel, calibration: Jets, jets: Jets) -> list[dict[str, Any]]:
    """Rows of the table of the quantised network, which is written, with its picture."""
    from nanopelican_hls.analysis.equivariance import at_momentum_width, drifts
    from nanopelican_hls.errors import NetworkError
    from nanopelican_hls.evaluation.sample import Sample
    from nanopelican_hls.files import make_folder, try_folder, write_atomically
    from nanopelican_hls.jets import port_values
    from nanopelican_hls.jets.pictures import save_picture

    config, name = model.config, model.config.name
    widths = WIDTHS[config.network.coordinates.value] if args.widths is None else args.widths
    own = config.quantisers.momenta.bits
    assert calibration.labels is not None
    sample = Sample(port_values(calibration, config.network), calibration.labels.astype(float))
    try_folder(args.output, NetworkError)
    with progress(args, name, 1 + len(widths), "networks") as bar:
        trained = list(drifts(model.description, jets, args.betas, args.seed, bits=own))
        bar.update()
        requantised: list[Drift] = []
        for bits in widths:
            description = at_momentum_width(config, model.float_network, bits, sample)
            requantised += drifts(description, jets, [WIDTH_BETA], args.seed, bits=bits)
            bar.update()
    make_folder(args.output, NetworkError)
    stem = args.output / f"equivariance-{name}"
    rows = _rows(trained, requantised)
    write_atomically(stem.with_suffix(".csv"), csv_text(rows), NetworkError)
    _table(trained, name).show()
    save_picture(_picture(trained, requantised, name, len(jets)), stem.with_suffix(".png"), force=True)
    print(f"written: {stem}.csv, {stem}.png")
    return rows


def _picture(trained: list[Drift], requantised: list[Drift], name: str, jets: int) -> Any:
    from nanopelican_hls.errors import NetworkError
    from nanopelican_hls.extras import require

    require("matplotlib", "the table was written, but the picture", NetworkError)
    from nanopelican_hls.analysis.equivariance_picture import draw

    title = f"{name}: what Lorentz transformations change in the quantised network"
    caption = f"{jets:,} jets, each in a frame of its own, spurions transformed with it."
    if requantised:
        caption += " Below: the float network quantised anew at each width, scales calibrated, nothing retrained."
    return draw(trained, requantised, title, caption)


def _rows(trained: list[Drift], requantised: list[Drift]) -> list[dict[str, Any]]:
    rows = [{"network": "trained", **drift.as_row()} for drift in trained]
    rows += [{"network": "requantised", **drift.as_row()} for drift in requantised]
    return rows


def _table(drifts: list[Drift], name: str) -> Table:
    titles = (">|beta|", ">mean", ">50%", ">90%", ">99%", ">flips", ">AUC", ">saturate")
    caption = f"{name}, quantised: |change of the logit|, tags that flip, AUC, jets that saturate a port"
    table = Table("boost", *titles, caption=caption)
    for drift in drifts:
        numbers = (f"{value:.3f}" for value in (drift.mean, *drift.quantiles))
        shares = f"{100 * drift.flipped:.2f}%", f"{drift.auc:.4f}", f"{100 * drift.saturated:.1f}%"
        table.add(drift.kind.value, f"{drift.beta:.2f}", *numbers, *shares)
    return table
