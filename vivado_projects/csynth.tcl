# C synthesis: from the C++ of the HLS project to Verilog and VHDL.
source settings.tcl

puts "nanopelican: csynth: opening the project"
open_project -reset ${top}_prj
set_top $top
add_files firmware/${top}.cpp -cflags "-std=c++0x"
open_solution -reset -flow_target vivado solution1
set_part $part
create_clock -period $clock_period_ns -name default
# share of the period that the scheduler leaves for routing
set_clock_uncertainty ${clock_uncertainty_percent}% default
# layers are named after tensors, so names may be long
config_compile -name_max_length 80
# a multiplication and the following addition share a DSP only if the multiplier's register may stay unused
config_schedule -enable_dsp_full_reg=false

puts "nanopelican: csynth: synthesising"
csynth_design
puts "nanopelican: csynth: done"
exit
