"""What package managers need: a core description of FuseSoC (CAPI2), and a script that packs an IP for Vivado."""

from __future__ import annotations

from collections.abc import Sequence

from nanopelican_hls.core.shell import Shell
from nanopelican_hls.rtl.project import SOURCES

#: all warnings of Verilator but two of style: some bits of a word are not read, and primitives share files
LINT = ("-Wall", "-Wno-UNUSEDSIGNAL", "-Wno-DECLFILENAME")


def fusesoc_core(shell: Shell, version: str, sources: Sequence[str]) -> str:
    """The core description, with targets ``default``, ``lint`` (Verilator) and ``sim`` (Icarus Verilog, cocotb)."""
    files = "\n".join(f"      - {SOURCES}/{name}" for name in sources)
    return f"""CAPI=2:
name: nanopelican:hls:{shell.project.top}:{version}
description: nanoPELICAN jet tagger with AXI4-Stream

filesets:
  rtl:
    files:
{files}
    file_type: verilogSource-2005
  bench:
    files:
      - test/core_testbench.py: {{file_type: user, copyto: core_testbench.py}}
      - test/events.json: {{file_type: user, copyto: events.json}}

targets:
  default: &default
    filesets: [rtl]
    toplevel: {shell.top}
  lint:
    <<: *default
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [{", ".join(LINT)}]
  sim:
    <<: *default
    flow: sim
    filesets_append: [bench]
    flow_options:
      tool: icarus
      cocotb_module: core_testbench
      iverilog_options: [-g2005]
"""


def vivado_script(shell: Shell, version: str) -> str:
    """Tcl that packs the core as an IP in ``ip/``: ``vivado -mode batch -source package.tcl``."""
    return f"""# Packs {shell.top} as an IP for Vivado's catalogue: vivado -mode batch -source package.tcl
set here [file dirname [file normalize [info script]]]
create_project -in_memory -part xcvu13p-flga2577-2-e
add_files [glob $here/{SOURCES}/*.v]
set_property top {shell.top} [current_fileset]
ipx::package_project -root_dir $here/ip -vendor nanopelican -library hls -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name {shell.top} $core
set_property version {".".join(version.split(".")[:2])} $core
set_property display_name "nanoPELICAN jet tagger" $core
ipx::infer_bus_interface aclk xilinx.com:signal:clock_rtl:1.0 $core
ipx::infer_bus_interface aresetn xilinx.com:signal:reset_rtl:1.0 $core
ipx::associate_bus_interfaces -busif s_axis -clock aclk $core
ipx::associate_bus_interfaces -busif m_axis -clock aclk $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::save_core $core
"""
