# The library of this version; called by the Makefile above. Whatever the flags are, nothing but create_model and
# destroy_model is exported, so that libraries in one process do not disturb each other.

LIBRARY := $(notdir $(CURDIR))
OBJECTS := $(patsubst %.cpp,%.o,$(wildcard *.cpp NN/*.cpp))
# NDEBUG: ap_types need not check the rounding mode of the processor at each conversion
OWN_FLAGS := -fPIC -fvisibility=hidden -DNDEBUG

.PHONY: clean

$(LIBRARY).so: $(OBJECTS) exports.map
	$(CXX) $(CXXFLAGS) -shared -Wl,--version-script=exports.map $(OBJECTS) $(LD_FLAGS) -o $@

%.o: %.cpp
	$(CXX) $(CXXFLAGS) $(OWN_FLAGS) $(INCLUDES) -c $< -o $@

$(OBJECTS): $(wildcard *.h NN/*.h NN/*/*.h)

clean:
	rm -f $(OBJECTS) $(LIBRARY).so
