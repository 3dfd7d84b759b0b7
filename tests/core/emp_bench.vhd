-- The payload with its records as plain vectors: for each link 69 bits, from the highest on strobe, start of orbit, start,
-- last, valid, data.
library ieee;
use ieee.std_logic_1164.all;
use work.ipbus.all;
use work.emp_data_types.all;
use work.emp_device_decl.all;
use work.emp_ttc_decl.all;
use work.emp_slink_types.all;

entity payload_bench is
  port (
    clk : in  std_logic;
    rst : in  std_logic;
    d   : in  std_logic_vector(8 * 69 - 1 downto 0);
    q   : out std_logic_vector(8 * 69 - 1 downto 0)
  );
end payload_bench;

architecture rtl of payload_bench is
  signal links, results : ldata(7 downto 0);
  signal resets  : std_logic_vector(1 downto 0);
  signal ipb     : ipb_wbus;
  signal counters : ttc_stuff_array(1 downto 0);
begin
  resets <= (others => rst);
  ipb.ipb_addr <= (others => '0');
  ipb.ipb_strobe <= '0';
  counters(0).l1a <= '0';
  counters(1).l1a <= '0';

  each : for k in 0 to 7 generate
    links(k).data           <= d(69 * k + 63 downto 69 * k);
    links(k).valid          <= d(69 * k + 64);
    links(k).last           <= d(69 * k + 65);
    links(k).start          <= d(69 * k + 66);
    links(k).start_of_orbit <= d(69 * k + 67);
    links(k).strobe         <= d(69 * k + 68);
    q(69 * k + 68 downto 69 * k) <= results(k).strobe & results(k).start_of_orbit & results(k).start
                                    & results(k).last & results(k).valid & results(k).data;
  end generate;

  payload : entity work.emp_payload
    port map (
      clk => clk, rst => rst, ipb_in => ipb, ipb_out => open, clk40 => clk, clk_payload => "000", rst_payload => "000",
      clk_p => clk, rst_loc => resets, clken_loc => "11", ctrs => counters, d => links, backpressure => "0",
      bc0 => open, q => results, gpio => open, gpio_en => open, slink_q => open
    );
end rtl;
