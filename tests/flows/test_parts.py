import dataclasses

import pytest

from nanopelican_hls.config import FirmwareConfig
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.parts import ORDERING_CODE, PARTS, find_part


def test_the_vu13p_is_what_the_trigger_documents_say():
    part = find_part("xcvu13p")
    assert dataclasses.astuple(part)[2:] == (1_728_000, 3_456_000, 12_288, 2_688, 1_280, 4)
    assert part.ordering_code == "xcvu13p-flga2577-2-e" == FirmwareConfig().part


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_found_by_both_names_and_is_plausible(name):
    part = find_part(name)
    assert ORDERING_CODE.fullmatch(part.ordering_code)[1] == part.name == name
    assert find_part(part.ordering_code) == part
    assert part.ff == 2 * part.lut  # every UltraScale device has two flip-flops per LUT
    assert min(part.lut, part.dsp, part.bram36, part.slrs) > 0


@pytest.mark.parametrize(
    "names",
    [("xcku060", "xcku115"), ("xcvu3p", "xcvu7p", "xcvu9p", "xcu200"), ("xcvu11p", "xcvu13p", "xcu250")],
    ids=lambda names: names[0],
)
def test_parts_of_the_same_regions_have_resources_in_proportion(names):
    """Larger devices are several SLRs of one kind; Alveo cards carry such a device."""
    of_a_region = [[total / part.slrs for total in dataclasses.astuple(part)[2:7]] for part in map(find_part, names)]
    assert all(each == of_a_region[0] for each in of_a_region)


@pytest.mark.parametrize(("card", "device"), [("xcu50", "xcvu35p"), ("xcu55c", "xcvu37p"), ("xcu280", "xcvu37p")])
def test_a_card_has_the_resources_of_its_device(card, device):
    assert dataclasses.astuple(find_part(card))[2:] == dataclasses.astuple(find_part(device))[2:]


@pytest.mark.parametrize(
    ("code", "canonical"),
    [("xcvu13p-fhgb2104-2L-e", "xcvu13p-fhgb2104-2L-e"), ("XCKU15P-FFVA1760-1LV-I", "xcku15p-ffva1760-1LV-i")],
)
def test_an_ordering_code_is_kept(code, canonical):
    part = find_part(code)
    assert part.ordering_code == canonical
    assert dataclasses.replace(part, ordering_code="") == dataclasses.replace(find_part(part.name), ordering_code="")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("xcvu13", "did you mean xcvu13p"),
        ("xcvu12p-flga2577-2-e", "did you mean xcvu"),
        ("xcvu13p-flga2577", "did you mean xcvu13p"),
        ("stratix", "use one of xcku040, "),
        ("", "use one of "),
    ],
)
def test_an_unknown_part_gets_the_nearest_names(name, remedy):
    with pytest.raises(SynthesisError) as error:
        find_part(name)
    assert str(error.value).startswith(f"{name!r}: is not a known part\n  remedy: {remedy}")
