# C synthesis: from the C++ of the HLS project to Verilog and VHDL.
source settings.tcl

puts "nanopelican: csynth: opening the project"
open_project -reset ${top}_prj
set_top $top
add_files firmware/${top}.cpp -cflags "-std=c++0x"
open_solution -reset -flow_target vivado solution1
set_part $part
create_clock -period $clock_period_ns -name default
# what the scheduler leaves of the period for routing
set_clock_uncertainty ${clock_uncertainty_percent}% default
# layers are named by the tensors they compute: names may be long
config_compile -name_max_length 80
# a product and the sum after it share one DSP only if the product's registers may stay unused
config_schedule -enable_dsp_full_reg=false

puts "nanopelican: csynth: synthesising"
csynth_design
puts "nanopelican: csynth: done"
exit
