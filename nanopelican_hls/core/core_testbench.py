"""Test bench of a core for cocotb and cocotbext-axi, to take along: the events and results of events.json.

Every event at full rate, with random gaps and back-pressure, with resets in the middle, and among wrong frames; the
results must be those of events.json bit for bit, none lost, in order, each with the TUSER of its event.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

CORE = json.loads(Path(__file__).with_name("events.json").read_text())
EVENTS = [[bytes.fromhex(word) for word in words] for words in CORE["events"]]
RESULTS = [bytes.fromhex(result) for result in CORE["results"]]
USERS = 1 << CORE["user_bits"]

#: signals of the record that a picture is drawn from
RECORDED = (
    *(f"s_axis_{name}" for name in ("tvalid", "tlast", "tuser")),
    "start",
    "valid",
    *(f"m_axis_{name}" for name in ("tvalid", "tuser", "tdata")),
)
#: what the tests measure, written to figures.json
FIGURES: dict[str, int] = {}


def note(**figures: int) -> None:
    """Log figures, and add them to figures.json in the folder of the simulation."""
    FIGURES.update(figures)
    cocotb.log.info(", ".join(f"{key} {value}" for key, value in figures.items()))
    Path("figures.json").write_text(json.dumps(FIGURES) + "\n")


def frame(words: Sequence[bytes], user: int) -> AxiStreamFrame:
    """A frame of these words; TUSER is that of each byte."""
    data = b"".join(words)
    return AxiStreamFrame(data, tuser=[user] * len(data))


class Bench:
    """A core with a source and a sink; `misframed` counts the cycles in which it complains."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.misframed = dut, 0
        cocotb.start_soon(Clock(dut.aclk, 4, "ns").start())
        reset = {"reset": dut.aresetn, "reset_active_level": False}
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, **reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, **reset)
        for end in (self.source, self.sink):
            end.log.setLevel("WARNING")  # they say a line for each frame
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        while True:
            await RisingEdge(self.dut.aclk)
            self.misframed += self.dut.misframed.value == 1

    async def reset(self) -> None:
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, 3)
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 2)

    async def until(self, condition: Callable[[], bool], most: int = 1000) -> int:
        """Wait for clock edges until a condition holds at one; returns their number."""
        for cycles in range(1, most):
            await RisingEdge(self.dut.aclk)
            if condition():
                return cycles
        raise AssertionError(f"nothing happens for {most} cycles")

    def send(self, event: int) -> None:
        self.source.send_nowait(frame(EVENTS[event], event % USERS))

    async def receive(self) -> AxiStreamFrame:
        found = await self.sink.recv()
        found.tuser = found.tuser if isinstance(found.tuser, int) else found.tuser[0]
        return found

    async def expect(self, event: int) -> None:
        found = await self.receive()
        assert bytes(found.tdata) == RESULTS[event], f"event {event}: {found}, expected {RESULTS[event].hex()}"
        assert found.tuser == event % USERS, f"event {event}: TUSER {found.tuser}"

    async def all_results(self) -> list[AxiStreamFrame]:
        """Results until there are none for long."""
        found: list[AxiStreamFrame] = []
        quiet = 0
        while quiet < 5:
            await ClockCycles(self.dut.aclk, 100)
            quiet = quiet + 1 if self.sink.empty() and self.source.empty() else 0
            while not self.sink.empty():
                found.append(await self.receive())
        return found


def sometimes(share: float, seed: int) -> Iterator[bool]:
    """A pause in this share of the cycles, in runs of a few."""
    draw = random.Random(seed)
    while True:
        paused = draw.random() < share
        yield from itertools.repeat(paused, draw.randint(1, 12))


@cocotb.test()
async def latency_and_rate(dut: Any) -> None:
    """A single event has the promised latency; at full rate an event starts every interval."""
    bench = Bench(dut)
    await bench.reset()
    bench.send(0)
    await bench.until(lambda: dut.s_axis_tvalid.value == dut.s_axis_tready.value == dut.s_axis_tlast.value == 1)
    cycles = await bench.until(lambda: dut.m_axis_tvalid.value == 1)
    note(latency_cycles=cycles)
    assert cycles == CORE["latency_cycles"], f"{cycles} cycles from the last word to the result"
    await bench.expect(0)
    count = min(len(EVENTS), 200)
    for event in range(count):
        bench.send(event)
    start = get_sim_time("ns")
    for event in range(count):
        await bench.expect(event)
    taken = round((get_sim_time("ns") - start) / 4)
    note(events_at_full_rate=count, cycles_at_full_rate=taken)
    assert taken <= count * CORE["interval"] + CORE["latency_cycles"] + CORE["interval"] + 8, (
        f"{count} in {taken} cycles"
    )


@cocotb.test()
async def record(dut: Any) -> None:
    """Three events at full rate, with all signals in each cycle into waveform.json."""
    bench = Bench(dut)
    await bench.reset()
    for event in range(3):
        bench.send(event)
    cycles: list[dict[str, int]] = []
    results = 0
    while results < 3:
        await RisingEdge(dut.aclk)
        now = {name: getattr(dut, name).value for name in RECORDED}
        cycles.append({name: int(value) if value.is_resolvable else 0 for name, value in now.items()})
        results += now["m_axis_tvalid"] == 1
        assert len(cycles) < 1000
    cycles.append(dict.fromkeys(RECORDED, 0))
    Path("waveform.json").write_text(json.dumps({"core": dut._name, "cycles": cycles}) + "\n")
    for event in range(3):
        await bench.expect(event)


@cocotb.test()
async def gaps_and_back_pressure(dut: Any) -> None:
    """All events, with random gaps between words and with a sink that often is not ready."""
    bench = Bench(dut)
    await bench.reset()
    bench.source.set_pause_generator(sometimes(0.3, 1))
    bench.sink.set_pause_generator(sometimes(0.4, 2))
    for event in range(len(EVENTS)):
        bench.send(event)
    found = [(bytes(one.tdata), one.tuser) for one in await bench.all_results()]
    expected = [(result, event % USERS) for event, result in enumerate(RESULTS)]
    mismatched = sum(one != other for one, other in zip(found, expected, strict=False))
    note(events=len(expected), lost=len(expected) - len(found), mismatched=mismatched, misframed=bench.misframed)
    assert found == expected and not bench.misframed


@cocotb.test()
async def resets_in_the_middle(dut: Any) -> None:
    """After a reset at any time the next event is the first; nothing of the ones before comes out."""
    bench, draw = Bench(dut), random.Random(3)
    await bench.reset()
    resets = max(20, len(EVENTS) // 100)
    for _ in range(resets):
        for event in range(10):
            bench.send(event % len(EVENTS))
        await ClockCycles(dut.aclk, draw.randint(1, 60))
        bench.source.clear()
        bench.dut.aresetn.value = 0
        await ClockCycles(dut.aclk, 3)
        bench.sink.clear()
        bench.dut.aresetn.value = 1
        await ClockCycles(dut.aclk, 2)
        event = draw.randrange(len(EVENTS))
        bench.send(event)
        await bench.expect(event)
    note(resets=resets)
    assert not bench.misframed


@cocotb.test()
async def wrong_frames(dut: Any) -> None:
    """Frames that are too short or too long are dropped and counted, those between them are not disturbed."""
    bench, draw = Bench(dut), random.Random(4)
    await bench.reset()
    words, wrong, good = len(EVENTS[0]), 0, []
    for event in range(min(100, len(EVENTS))):
        kind = draw.choice(["good", "long", "short"])
        if kind == "good" or (kind == "short" and words == 1):
            bench.send(event)
            good.append(event)
            continue
        length = draw.randint(words + 1, 3 * words + 1) if kind == "long" else draw.randint(1, words - 1)
        bench.source.send_nowait(frame([draw.randbytes(len(EVENTS[0][0])) for _ in range(length)], 0))
        wrong += 1
    for event in good:
        await bench.expect(event)
    await ClockCycles(dut.aclk, 200)
    assert bench.sink.empty()
    assert bench.misframed == wrong, f"{bench.misframed} of {wrong} wrong frames were reported"
