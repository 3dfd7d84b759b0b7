"""``nanopelican jets show``: a file of jets in one picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "show",
        help="draw a file of jets",
        description="Draw multiplicity, jet mass, constituent pT and the products d_ij per class as one PNG or PDF.",
    )
    parser.add_argument("file", type=Path, help="file of jets, in any layout of docs/jets.md")
    parser.add_argument("--output", type=Path, help="picture, .png or .pdf (default: FILE's name with .png)")
    parser.add_argument("--events", type=int, help="use only the first EVENTS jets (default: all)")
    parser.add_argument(
        "--constituents", type=int, default=16, help="leading constituents that enter the products d_ij (default: 16)"
    )
    parser.add_argument(
        "--bits",
        type=int,
        help="report the share of d_ij clipped at BITS integer bits, in GeV^2 (default: from the data)",
    )
    parser.add_argument(
        "--signal", nargs="+", metavar="CLASS", help="classes that count as signal, in a file with several"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an existing picture")


def run(args: argparse.Namespace) -> int:
    """Draw the picture, and print its main figures."""
    from nanopelican_hls.jets import iterate_jets
    from nanopelican_hls.jets.histograms import fill, smallest_width
    from nanopelican_hls.jets.pictures import check_destination, draw_jets, save_picture

    output = args.output or Path(f"{args.file.stem}.png")
    check_destination(output, force=args.force)
    classes = fill(iterate_jets(args.file, events=args.events, signal=args.signal), args.constituents)
    bits = smallest_width(classes.values()) if args.bits is None else args.bits
    title = f"{args.file.name}: {sum(c.jets for c in classes.values()):,} jets"
    save_picture(draw_jets(classes, title, n_constituents=args.constituents, bits=bits), output, force=args.force)
    figures = {
        name: {
            "jets": histograms.jets,
            "mean_multiplicity": histograms.mean("multiplicity"),
            "mean_mass_gev": histograms.mean("mass_gev"),
            "share_clipped": histograms.share_clipped_at(bits),
        }
        for name, histograms in classes.items()
    }
    for name, of_class in figures.items():
        print(
            f"{name}: {of_class['jets']} jets, mean multiplicity {of_class['mean_multiplicity']:.1f}, "
            f"mean mass {of_class['mean_mass_gev']:.0f} GeV, "
            f"{100 * of_class['share_clipped']:.2g}% of d_ij clipped at {bits} bits"
        )
    print(f"written: {output}")
    emit(args, {"classes": figures, "bits": bits, "picture": output})
    return ExitStatus.OK
