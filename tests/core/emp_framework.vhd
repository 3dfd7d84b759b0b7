-- What the payload needs of the EMP framework, for tests: types with the fields that the payload uses, and a device of
-- eight links.
library ieee;
use ieee.std_logic_1164.all;

package ipbus is
  type ipb_wbus is record
    ipb_addr   : std_logic_vector(31 downto 0);
    ipb_strobe : std_logic;
  end record;
  type ipb_rbus is record
    ipb_rdata : std_logic_vector(31 downto 0);
    ipb_ack   : std_logic;
  end record;
  constant IPB_RBUS_NULL : ipb_rbus := ((others => '0'), '0');
end ipbus;

library ieee;
use ieee.std_logic_1164.all;

package emp_data_types is
  type lword is record
    data           : std_logic_vector(63 downto 0);
    valid          : std_logic;
    start          : std_logic;
    last           : std_logic;
    start_of_orbit : std_logic;
    strobe         : std_logic;
  end record;
  type ldata is array (natural range <>) of lword;
end emp_data_types;

package emp_device_decl is
  constant N_REGION : integer := 2;
end emp_device_decl;

library ieee;
use ieee.std_logic_1164.all;

package emp_ttc_decl is
  type ttc_stuff_t is record
    l1a : std_logic;
  end record;
  type ttc_stuff_array is array (natural range <>) of ttc_stuff_t;
end emp_ttc_decl;

library ieee;
use ieee.std_logic_1164.all;

package emp_slink_types is
  constant SLINK_MAX_QUADS : integer := 1;
  subtype slink_input_data_quad is std_logic_vector(3 downto 0);
  type slink_input_data_quad_array is array (natural range <>) of slink_input_data_quad;
  constant SLINK_INPUT_DATA_ARRAY_NULL : slink_input_data_quad := (others => '0');
end emp_slink_types;
