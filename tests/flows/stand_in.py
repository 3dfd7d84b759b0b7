# ruff: noqa: T201
"""Stand-in for AMD's tools: prints a version, and "runs" a Tcl script by writing the reports of tests/flows/reports.

It records its command line in ``commands.txt`` in the working folder. The environment sets its version
(``STAND_IN_VERSION``), and the script in which (``STAND_IN_FAILS_IN``) and how (``STAND_IN_FAILURE``) it fails.
"""

import os
import re
import signal
import sys
from pathlib import Path

REPORTS = Path(os.environ["STAND_IN_REPORTS"])
BANNERS = {
    "vitis-run": "****** vitis-run v{} (64-bit)",
    "vitis_hls": "****** Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v{} (64-bit)",
    "vivado": "vivado v{} (64-bit)",
    "vivado_hls": "Vivado HLS v{} (64-bit)",
}
SOLUTION = Path("nanopelican_prj/solution1")
PRODUCTS = {
    "csynth": {
        SOLUTION / "syn/report/csynth.rpt": "csynth.rpt",
        SOLUTION / "syn/report/nanopelican_csynth.rpt": "nanopelican_csynth.rpt",
    },
    "cosim": {SOLUTION / "sim/report/nanopelican_cosim.rpt": "nanopelican_cosim.rpt"},
    "export": {Path("ip/nanopelican.zip"): None},
    "vsynth": {
        Path("reports/vsynth_utilisation.rpt"): "vsynth_utilisation.rpt",
        Path("reports/vsynth_timing.rpt"): "vsynth_timing.rpt",
        Path("vsynth.dcp"): None,
    },
    "impl": {
        Path("reports/impl_utilisation.rpt"): "impl_utilisation.rpt",
        Path("reports/impl_timing.rpt"): "impl_timing.rpt",
        Path("impl.dcp"): None,
    },
}
#: error messages, worded like those of the tools
MESSAGES = {
    "licence": "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcvu13p'.",
    "part": "ERROR: [HLS 200-1023] Part 'xcvu13p-flga2577-2-e' is not installed.",
    "vivado part": "ERROR: [Coretcl 2-106] Specified part could not be found.",
    "part select": "ERROR: [HLS 214-1] part select of this type is not supported",
    "allocation": "terminate called after throwing an instance of 'std::bad_alloc'",
    "source": "ERROR: [HLS 207-3776] use of undeclared identifier 'x'\nERROR: [HLS 200-1] b\nERROR: c\nERROR: d",
}


def main():
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if arguments in (["--version"], ["-version"]):
        print(BANNERS[name].format(os.environ.get("STAND_IN_VERSION", "2023.2")))
        return 0
    with Path("commands.txt").open("a") as commands:
        commands.write(" ".join([name, *arguments]) + "\n")
    script = Path(arguments[-1])
    settings = dict(re.findall(r"set (\S+) (\S+)", Path("settings.tcl").read_text()))
    if not script.is_file():
        return 1
    print(f"nanopelican: {script.stem}: opening the project", flush=True)
    failure = os.environ.get("STAND_IN_FAILURE") if os.environ.get("STAND_IN_FAILS_IN") == script.stem else None
    if failure in MESSAGES:
        print(MESSAGES[failure])
        return 1
    print("INFO: [HLS 200-111] Finished half of it", flush=True)
    if failure == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if failure == "killed inside":  # a wrapper script survives the tool, and reports the signal in its exit status
        return 128 + signal.SIGKILL
    if failure == "silent":
        print("ERROR: [HLS 200-70] something the wrapper hides")
        return 0
    events = Path("tb_data/events.dat")
    if script.stem == "cosim":
        total, wrong = len(events.read_text().splitlines()) - 1, 3 if failure == "mismatch" else 0
        print(f"PASS: {total} events, 0 mismatches")
        print("INFO: [COSIM 212-316] Starting C post checking ...")
        print(f"{'FAIL' if wrong else 'PASS'}: {total} events, {wrong} mismatches")
    for path, report in PRODUCTS[script.stem].items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if report is None:
            path.touch()
        else:
            text = (REPORTS / report).read_text().replace("xcvu13p-flga2577-2-e", settings["part"])
            path.write_text(text.replace("2.50 ns", f"{float(settings['clock_period_ns']):.2f} ns"))
    if failure in ("mismatch", "afterwards"):
        print("ERROR: [COSIM 212-361] C/RTL co-simulation failed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
