# Placement and routing of the synthesised design, out of context: figures after routing, but alone on the chip.
source settings.tcl

puts "nanopelican: impl: opening the checkpoint"
open_checkpoint vsynth.dcp

puts "nanopelican: impl: optimising"
opt_design
puts "nanopelican: impl: placing"
place_design
phys_opt_design
puts "nanopelican: impl: routing"
route_design
write_checkpoint -force impl.dcp

puts "nanopelican: impl: reporting"
file mkdir reports
report_timing_summary -file reports/impl_timing.rpt
report_utilization -file reports/impl_utilisation.rpt
puts "nanopelican: impl: done"
exit
