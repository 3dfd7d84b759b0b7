# C/RTL co-simulation: the test bench drives the Verilog with the events in tb_data/events.dat, and compares its outputs
# with the integers of QONNX execution in the same file.
source settings.tcl

puts "nanopelican: cosim: opening the project"
open_project ${top}_prj
add_files -tb ${top}_test.cpp -cflags "-std=c++0x"
add_files -tb tb_data
open_solution solution1

puts "nanopelican: cosim: simulating"
cosim_design -rtl verilog -trace_level none
puts "nanopelican: cosim: done"
exit
