-- Links of the EMP framework around the core's AXI4-Stream shell (docs/core.md has the frame as a table).
--
-- A frame begins with a word of link 0 that has `start`, and has STRIDE * JETS clocks; a clock counts if link 0 has
-- `strobe`. Every STRIDE clocks a jet begins: BEATS words of the core, each in PARTS clocks, the lowest bits first; in each
-- clock the lowest bits are those of link 0. A link that is not `valid` reads as zeros, so frames are always complete, and a
-- `start` inside one is not looked at. As STRIDE is the core's interval or more, the core never has to make links wait.
library ieee;
use ieee.std_logic_1164.all;
use work.emp_data_types.all;

entity nanopelican_links is
  generic (
    LINKS  : positive;
    WIDTH  : positive;  -- bits of the core's word
    PARTS  : positive;
    BEATS  : positive;
    STRIDE : positive;
    JETS   : positive;
    USER   : positive;  -- bits of TUSER, 3 or more
    RESULT : positive   -- bits of a result, 63 or fewer
  );
  port (
    clk     : in  std_logic;
    rst     : in  std_logic;
    d       : in  ldata(LINKS - 1 downto 0);
    q       : out lword;
    s_data  : out std_logic_vector(WIDTH - 1 downto 0);
    s_user  : out std_logic_vector(USER - 1 downto 0);
    s_last  : out std_logic;
    s_valid : out std_logic;
    m_data  : in  std_logic_vector(RESULT - 1 downto 0);
    m_user  : in  std_logic_vector(USER - 1 downto 0);
    m_valid : in  std_logic
  );
end nanopelican_links;

architecture rtl of nanopelican_links is
  constant BITS : positive := LINKS * 64;  -- in a clock

  -- what the links brought in the clock before
  signal word : std_logic_vector(BITS - 1 downto 0);
  signal strobe, start, orbit : std_logic;

  -- the last PARTS clocks
  signal held : std_logic_vector(PARTS * BITS - 1 downto 0);
  -- where in the frame the next clock is
  signal running : std_logic;
  signal part    : natural range 0 to PARTS - 1;
  signal beat    : natural range 0 to BEATS;
  signal place   : natural range 0 to STRIDE - 1;
  signal jet     : natural range 0 to JETS - 1;
  signal of_orbit : std_logic;

  -- between the first result of a frame and its last one
  signal open_frame : std_logic;
begin

  links_in : process (clk)
  begin
    if rising_edge(clk) then
      for link in 0 to LINKS - 1 loop
        if d(link).valid = '1' then
          word(64 * link + 63 downto 64 * link) <= d(link).data;
        else
          word(64 * link + 63 downto 64 * link) <= (others => '0');
        end if;
      end loop;
      strobe <= d(0).strobe;
      start  <= d(0).start and d(0).valid and not rst;
      orbit  <= d(0).start_of_orbit;
    end if;
  end process;

  s_data <= held(WIDTH - 1 downto 0);

  frame : process (clk)
    variable first : std_logic;
  begin
    if rising_edge(clk) then
      s_valid <= '0';
      if strobe = '1' and (running = '1' or start = '1') then
        first := of_orbit;
        if running = '0' then
          first := orbit;
        end if;
        of_orbit <= first;

        held <= word & held(PARTS * BITS - 1 downto BITS);
        if part = PARTS - 1 then
          part <= 0;
          if beat /= BEATS then
            beat    <= beat + 1;
            s_valid <= '1';
          end if;
        else
          part <= part + 1;
        end if;

        s_last <= '0';
        if beat = BEATS - 1 then
          s_last <= '1';
        end if;
        s_user <= (others => '0');
        if jet = 0 then
          s_user(0) <= '1';
          s_user(2) <= first;
        end if;
        if jet = JETS - 1 then
          s_user(1) <= '1';
        end if;

        running <= '1';
        if place = STRIDE - 1 then
          place <= 0;
          part  <= 0;
          beat  <= 0;
          if jet = JETS - 1 then
            jet     <= 0;
            running <= '0';
          else
            jet <= jet + 1;
          end if;
        else
          place <= place + 1;
        end if;
      end if;
      if rst = '1' then
        running <= '0';
        s_valid <= '0';
        part    <= 0;
        beat    <= 0;
        place   <= 0;
        jet     <= 0;
      end if;
    end if;
  end process;

  -- the frame of results: its words are valid from the first result to the last, and bit 63 tells those that are one
  results : process (clk)
  begin
    if rising_edge(clk) then
      q.data                      <= (others => '0');
      q.data(63)                  <= m_valid;
      if m_valid = '1' then
        q.data(RESULT - 1 downto 0) <= m_data;
      end if;
      q.valid          <= (m_valid or open_frame) and not rst;
      q.start          <= m_valid and m_user(0) and not rst;
      q.last           <= m_valid and m_user(1) and not rst;
      q.start_of_orbit <= m_valid and m_user(0) and m_user(2) and not rst;
      q.strobe         <= '1';
      if m_valid = '1' then
        open_frame <= not m_user(1);
      end if;
      if rst = '1' then
        open_frame <= '0';
      end if;
    end if;
  end process;

end rtl;
