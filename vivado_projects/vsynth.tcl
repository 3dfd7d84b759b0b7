# Logic synthesis of the Verilog from C synthesis, out of context: the design is part of a larger one, so its ports have
# neither pins nor I/O buffers.
source settings.tcl

puts "nanopelican: vsynth: reading the sources"
set verilog ${top}_prj/solution1/syn/verilog
read_verilog [glob $verilog/*.v]
# initial values of ROMs
foreach file [glob -nocomplain $verilog/*.dat] { file copy -force $file . }
# synthesis is timing-driven, so the clock must be defined first
set xdc [open clock.xdc w]
puts $xdc "create_clock -name ap_clk -period $clock_period_ns \[get_ports ap_clk\]"
close $xdc
read_xdc -mode out_of_context clock.xdc

puts "nanopelican: vsynth: synthesising"
synth_design -top $top -part $part -mode out_of_context
write_checkpoint -force vsynth.dcp

puts "nanopelican: vsynth: reporting"
file mkdir reports
report_timing_summary -file reports/vsynth_timing.rpt
report_utilization -file reports/vsynth_utilisation.rpt
puts "nanopelican: vsynth: done"
exit
