# Packages the synthesised design as an IP for Vivado: ip/<top>.zip.
source settings.tcl

puts "nanopelican: export: opening the project"
open_project ${top}_prj
open_solution solution1

puts "nanopelican: export: packaging"
file mkdir ip
export_design -rtl verilog -format ip_catalog -vendor nanopelican -library hls -ipname $top -output ip/${top}.zip
puts "nanopelican: export: done"
exit
