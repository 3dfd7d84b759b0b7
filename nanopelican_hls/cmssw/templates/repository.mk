# Builds each folder <model>_<version> to <model>_<version>.so; several versions may lie here side by side.
#
#     make
#     make install PREFIX=FOLDER     to FOLDER/lib64
#
# In the experiment's software, EMULATOR_EXTRAS and HLS_ROOT name hls4mlEmulatorExtras and the ap_types. Without them
# the headers in include/ are taken.

PREFIX := .
CPP_STANDARD := c++17
CXXFLAGS := -O3 -std=$(CPP_STANDARD)
ifeq ($(strip $(EMULATOR_EXTRAS)),)
INCLUDES := -I../include/hls4ml -I../include/ap_types
LD_FLAGS :=
else
EXTRAS := $(abspath $(EMULATOR_EXTRAS))
INCLUDES := -I$(EXTRAS)/include/hls4ml -I$(EXTRAS)/include/ap_types -I$(abspath $(HLS_ROOT))/include
LD_FLAGS := -L$(EXTRAS)/lib64 -lemulator_interface
endif

VERSIONS := $(patsubst %/Makefile,%,$(wildcard */Makefile))
LIBRARIES := $(VERSIONS:%=%.so)

.PHONY: all install clean force

all: $(LIBRARIES)

$(LIBRARIES): %.so: force
	$(MAKE) -C $* INCLUDES="$(INCLUDES)" LD_FLAGS="$(LD_FLAGS)" CXXFLAGS="$(CXXFLAGS)"
	cp $*/$@ $@

install: all
	mkdir -p "$(PREFIX)/lib64"
	cp $(LIBRARIES) "$(PREFIX)/lib64"

clean:
	rm -f $(LIBRARIES)
	for version in $(VERSIONS); do $(MAKE) -C $$version clean; done
