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

    async def expect(self, event: int) -> None:
        found = await self.sink.recv()
        assert bytes(found.tdata) == RESULTS[event], f"event {event}: {found}, expected {RESULTS[event].hex()}"
        user = found.tuser if isinstance(found.tuser, int) else found.tuser[0]
        assert user == event % USERS, f"event {event}: TUSER {user}"


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
    assert cycles == CORE["latency_cycles"], f"{cycles} cycles from the last word to the result"
    await bench.expect(0)
    count = min(len(EVENTS), 200)
    for event in range(count):
        bench.send(event)
    start = get_sim_time("ns")
    for event in range(count):
        await bench.expect(event)
    taken = (get_sim_time("ns") - start) / 4
    assert taken <= count * CORE["interval"] + CORE["latency_cycles"] + CORE["interval"] + 8, (
        f"{count} in {taken} cycles"
    )


@cocotb.test()
async def gaps_and_back_pressure(dut: Any) -> None:
    """All events, with random gaps between words and with a sink that often is not ready."""
    bench = Bench(dut)
    await bench.reset()
    bench.source.set_pause_generator(sometimes(0.3, 1))
    bench.sink.set_pause_generator(sometimes(0.4, 2))
    for event in range(len(EVENTS)):
        bench.send(event)
    for event in range(len(EVENTS)):
        await bench.expect(event)
    await ClockCycles(dut.aclk, 200)
    assert bench.sink.empty() and not bench.misframed


@cocotb.test()
async def resets_in_the_middle(dut: Any) -> None:
    """After a reset at any time the next event is the first; nothing of the ones before comes out."""
    bench, draw = Bench(dut), random.Random(3)
    await bench.reset()
    for _ in range(20):
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
