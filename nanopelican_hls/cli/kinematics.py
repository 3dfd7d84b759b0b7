"""``nanopelican kinematics``: efficiency of a working point against pT, mass, eta and multiplicity."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import fraction
from nanopelican_hls.cli.output import Table, csv_text, emit
from nanopelican_hls.cli.trained import CHECKPOINT

if TYPE_CHECKING:
    from nanopelican_hls.analysis.kinematics import WorkingPoint


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, _: args.output,
    outputs=("kinematics-*.csv",),
    sources={"model": ".pt"},
    redirected=("output",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "kinematics",
        help="efficiency of a working point against pT, mass, eta and multiplicity, and whether it sculpts the mass",
        description="Cut on the firmware's logit so that a given share of the background passes; the efficiencies in "
        "bins of pT, mass, |eta| and multiplicity are written to kinematics-NAME.csv and .png (docs/studies.md).",
    )
    parser.add_argument("model", help=CHECKPOINT)
    parser.add_argument("--jets", type=Path, help="file of labelled jets (default: the shipped sample)")
    parser.add_argument(
        "--background", type=fraction, default=0.01, help="share of the background that passes (default: 0.01)"
    )
    parser.add_argument("--output", type=Path, default=Path(), help="output folder (default: the current one)")


def run(args: argparse.Namespace) -> int:
    """Print the working point and the table, write table and picture."""
    from nanopelican_hls.errors import NetworkError
    from nanopelican_hls.files import make_folder, try_folder, write_atomically
    from nanopelican_hls.jets import port_values, read_jets, sample_path

    try_folder(args.output, NetworkError)
    path = args.jets or sample_path()
    jets = read_jets(path)

    # heavy imports only after the arguments have been checked
    from nanopelican_hls.analysis.kinematics import working_point
    from nanopelican_hls.evaluation.metrics import LEAST_JETS, require_every_class
    from nanopelican_hls.extras import require
    from nanopelican_hls.jets.pictures import save_picture
    from nanopelican_hls.jets.two_samples import mass_gev
    from nanopelican_hls.network.model import load_model

    model = load_model(args.model)
    if model.config.network.classes:
        raise NetworkError(
            f"has a logit for each of {', '.join(model.config.network.classes)}, but signal and background are needed",
            where=args.model,
            remedy="use a network without network.classes",
        )
    labels = require_every_class(jets.binary_labels(str(path)), str(path), least=LEAST_JETS)
    name = model.config.name
    logits = model.quantised_tensors(port_values(jets, model.config.network))["logit"][:, 0]
    point = working_point(jets, logits, args.background)
    make_folder(args.output, NetworkError)
    stem = args.output / f"kinematics-{name}"
    write_atomically(stem.with_suffix(".csv"), csv_text([asdict(each) for each in point.bins]), NetworkError)
    _show(point, name, len(jets))
    require("matplotlib", "the table was written, but the picture", NetworkError)
    from nanopelican_hls.analysis.kinematics_picture import draw

    background = labels == 0
    title = f"{name}: efficiency where {100 * point.background:.2g}% of the background passes"
    caption = f"{len(jets):,} jets, firmware's logit of at least {point.threshold:g}; bins of equally many jets."
    passed = logits[background] >= point.threshold
    picture = draw(point, mass_gev(jets)[background], passed, title, caption)
    save_picture(picture, stem.with_suffix(".png"), force=True)
    print(f"written: {stem}.csv, {stem}.png")
    emit(args, {"model": name, "jets": len(jets), **asdict(point)})
    return ExitStatus.OK


def _show(point: WorkingPoint, name: str, jets: int) -> None:
    print(
        f"{name}, {jets} jets: logit of at least {point.threshold:g}, signal efficiency {point.signal:.4f}, "
        f"background efficiency {point.background:.5f}"
    )
    table = Table("variable", ">from", ">to", ">signal", ">background")
    for each in point.bins:
        signal = f"{each.signal:.3f} ± {each.signal_error:.3f}"
        background = f"{each.background:.4f} ± {each.background_error:.4f}"
        table.add(each.variable, f"{each.low:.3g}", f"{each.high:.3g}", signal, background)
    table.show()
    print(
        f"mass of background jets that pass and fail: divergence {point.sculpting.divergence:.3f} bits "
        f"({point.sculpting.random:.3f} for a random cut)"
    )
