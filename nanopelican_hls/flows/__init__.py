"""Drivers of compilers, simulators and EDA tools; FPGA parts, and the report of all synthesis flows."""
