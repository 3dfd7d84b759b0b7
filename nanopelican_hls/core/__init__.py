"""A core that a trigger's framework takes: the Verilog with an AXI4-Stream shell, port map, packaging, test bench."""
