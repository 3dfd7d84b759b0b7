#!/bin/sh
# Compiles the test bench with g++ (or $$CXX), like the vendor's C-simulation, and runs it on tb_data/events.dat.
set -eu
cd "$$(dirname "$$0")"
newer() { find firmware ${project}_test.cpp -name '*.h' -newer testbench -o -name '*.cpp' -newer testbench; }
if [ ! -x testbench ] || [ -n "$$(newer)" ]; then
    weights="\"$$(pwd)/firmware/weights\""
    "$${CXX:-g++}" -std=c++11 -O1 -w -I firmware/ap_types -D WEIGHTS_DIR="$$weights" \
        firmware/${project}.cpp ${project}_test.cpp -o .testbench.$$$$
    mv .testbench.$$$$ testbench
fi
./testbench
