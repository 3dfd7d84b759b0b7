"""Mutation testing: deliberate faults in the sources, each of which some test must notice (``make mutants``).

The faults are data, ``mutants/<area>.yaml``: for each file of the sources, the tests that should notice, and pairs of a
text that occurs once in the file and the text in its place. One fault at a time stands in a copy of the tree; the
checkout is never touched. Results are kept in ``build/mutants``, by fault, sources and tests: a run that was stopped
goes on, and after a change only what the change concerns runs again.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from tqdm import tqdm

from nanopelican_hls.errors import NanopelicanError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.markdown import table

ROOT = Path(__file__).parents[1]
#: libraries that the tests import, but not those of pytest's plugins, whose assertions it rewrites when it imports them
HEAVY = (
    *("numpy", "scipy.stats", "scipy.special", "sklearn.metrics", "h5py", "hdf5plugin", "yaml"),
    *("torch", "brevitas.core.quant", "brevitas.nn", "onnx", "onnxruntime"),
    *("qonnx.core.modelwrapper", "qonnx.core.onnx_exec", "hls4ml", "alkaid.trace", "matplotlib.figure"),
)
#: what happened to a fault: a test failed, none did, or the time limit came first
KILLED, SURVIVED, UNDECIDED = "killed", "survived", "undecided"
#: a fault may make tests slower; time limit in seconds, from the time that they take without it
ALLOWANCE, FACTOR = 60, 4


class MutantError(NanopelicanError):
    """A fault that no longer applies, or tests that fail without any fault."""


@dataclass(frozen=True)
class Mutant:
    """A deliberate fault.

    Attributes
    ----------
    area : name of the YAML file.
    file : path in the tree.
    before, after : the text, which occurs once in the file, and the wrong text in its place.
    tests : files or node ids of pytest.
    survives : why no test can notice, of a fault that may survive.
    quick : whether the test suite tries it too.
    """

    area: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    survives: str = ""
    quick: bool = False

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.area}: {self.file}: {before!r} -> {after!r}"

    def applied(self, root: Path) -> str:
        """The file's text with the fault; MutantError unless it applies."""
        path = root / self.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if self.before == self.after or text.count(self.before) != 1:
            raise MutantError(
                f"stale mutant: {self.before!r} occurs {text.count(self.before)} times in {self.file}",
                where=f"mutants/{self.area}.yaml",
                remedy="write the fault anew, for the file as it is now",
            )
        return text.replace(self.before, self.after)


@dataclass(frozen=True)
class Result:
    """What happened to a fault, in how many seconds, and the test that noticed."""

    outcome: str
    seconds: float
    test: str = ""


def read_mutants(folder: Path) -> list[Mutant]:
    """All faults, in the order of areas and files."""
    return [
        Mutant(
            area=path.stem,
            file=group["file"],
            tests=tuple(fault.pop("tests", group["tests"])),
            **fault,
        )
        for path in sorted(folder.glob("*.yaml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))
        for fault in group["faults"]
    ]


class Trees:
    """Copies of the tree, each with a worker, and the digests of its files."""

    def __init__(self, root: Path, scratch: Path, jobs: int) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            check=True,
        )
        names = sorted({name for name in os.fsdecode(listed.stdout).split("\0") if name and (root / name).exists()})
        self._digests = {n: hashlib.sha256((root / n).read_bytes()).hexdigest() for n in names if (root / n).is_file()}
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._workers: list[Worker] = []
        for job in range(jobs):
            tree = scratch / str(job) / "tree"
            for name in names:
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, tree / name, follow_symlinks=False)
            # the jets of the tests
            if (shared := root.parent / "shared").is_dir():
                (tree.parent / "shared").symlink_to(shared)
            self._workers.append(Worker(tree))
            self._free.put(self._workers[-1])

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def key(self, tests: Iterable[str], *words: str) -> str:
        """Digest of words, of these tests, and of whatever else in the tree decides how they end."""
        own = {test.split("::")[0] for test in tests}
        result = hashlib.sha256(json.dumps([sorted(tests), words]).encode())
        for name, digest in self._digests.items():
            path = Path(name)
            other_test = path.name.startswith("test_") and path.suffix == ".py" and name not in own
            if not other_test and path.suffix != ".md" and path.parts[0] != "mutants" and path.stem != "mutants":
                result.update(f"{name} {digest}\n".encode())
        return result.hexdigest()[:20]

    @contextlib.contextmanager
    def one(self) -> Iterator[Worker]:
        """A free worker; waits for one."""
        worker = self._free.get()
        try:
            yield worker
        finally:
            self._free.put(worker)


@contextlib.contextmanager
def fault_in(tree: Path, mutant: Mutant) -> Iterator[None]:
    """The fault stands in the tree; afterwards the file is as before, with its time, so that its bytecode is valid."""
    path = tree / mutant.file
    original, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_text(mutant.applied(tree), encoding="utf-8")
    # bytecode of a file of equal size is taken as valid within the same second
    later = times[1] + 2_000_000_000
    os.utime(path, ns=(later, later))
    try:
        yield
    finally:
        path.write_bytes(original)
        os.utime(path, ns=times)


class Worker:
    """A process that runs tests in a tree of its own (`worker`), until it is closed."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py")), *HEAVY],
            cwd=tree.parent,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._process.communicate()

    def run(self, tests: Sequence[str], limit: float | None, *, write_bytecode: bool) -> tuple[Result, str]:
        """Run tests until the first that fails, and give what they printed too.

        Nothing that they compile outlives them, so that no fault is hidden by what was compiled without it.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self.tree.parent) as scratch:
            environment = {"PYTHONPATH": str(self.tree), "XDG_CACHE_HOME": f"{scratch}/cache"}
            if not write_bytecode:
                environment["PYTHONDONTWRITEBYTECODE"] = "1"
            options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={scratch}/tests"]
            named = ["-m", ""] if any("::" in test for test in tests) else []  # a long one too
            request = {
                "folder": str(self.tree),
                "arguments": [*options, *named, *tests],
                "environment": environment,
                "limit": limit,
                "log": f"{scratch}/log",
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            status = json.loads(self._process.stdout.readline())
            output = Path(scratch, "log").read_text(encoding="utf-8", errors="replace")
        outcome = UNDECIDED if status is None else KILLED if status else SURVIVED
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
        test = failed[1] if failed and outcome == KILLED else ""
        return Result(outcome, round(time.monotonic() - started, 1), test), output


def check_interpreter(tree: Path) -> None:
    """MutantError unless tests in the tree import the package from there."""
    code = "import nanopelican_hls; print(nanopelican_hls.__file__)"
    environment = os.environ | {"PYTHONPATH": str(tree)}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, env=environment, capture_output=True, text=True, check=True
    )
    if not Path(found.stdout.strip()).is_relative_to(tree):
        raise MutantError(
            "the tests would import another copy of the package",
            where=found.stdout.strip(),
            remedy="install it with pip install --editable, as make setup does",
        )


class Runs:
    """Test runs whose results are kept."""

    def __init__(self, trees: Trees, kept: Path) -> None:
        self._trees, self._kept = trees, kept
        kept.mkdir(parents=True, exist_ok=True)

    def kept(self, mutant: Mutant) -> Result | None:
        """The result of an earlier run of this fault, with the same sources and tests."""
        return self._read(self._path(mutant.tests, mutant))

    def sound(self, tests: tuple[str, ...]) -> Result:
        """Result of tests without any fault; MutantError if they fail."""
        path = self._path(tests, None)
        if found := self._read(path):
            return found
        with self._trees.one() as worker:
            result, output = worker.run(tests, None, write_bytecode=True)
        if result.outcome != SURVIVED:
            raise MutantError(
                "the tests fail without any fault:\n" + output[-4000:],
                where=" ".join(tests),
                remedy="let them pass first",
            )
        return self._write(path, result)

    def tried(self, mutant: Mutant, limit: float | None) -> Result:
        """Result of a fault."""
        with self._trees.one() as worker, fault_in(worker.tree, mutant):
            result, _ = worker.run(mutant.tests, limit, write_bytecode=False)
        return self._write(self._path(mutant.tests, mutant), result)

    def _path(self, tests: tuple[str, ...], mutant: Mutant | None) -> Path:
        words = [mutant.file, mutant.before, mutant.after] if mutant else []
        return self._kept / f"{self._trees.key(tests, *words)}.json"

    @staticmethod
    def _read(path: Path) -> Result | None:
        return Result(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    @staticmethod
    def _write(path: Path, result: Result) -> Result:
        write_atomically(path, json.dumps(asdict(result)), MutantError)
        return result


def try_mutants(
    root: Path, mutants: Sequence[Mutant], kept: Path, jobs: int, *, sound: bool = True
) -> dict[Mutant, Result]:
    """Try each fault, and show how far it is and which survive.

    Parameters
    ----------
    root : Path
        The tree.
    mutants : sequence of Mutant
    kept : Path
        Folder of results; those of the same sources and tests are taken from there.
    jobs : int
        Faults tried at the same time.
    sound : bool
        Run the tests without a fault first, which also gives the time limits; otherwise there is none.
    """
    for mutant in mutants:
        mutant.applied(root)
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as scratch,
        contextlib.closing(Trees(root, Path(scratch).resolve(), jobs)) as trees,
        ThreadPoolExecutor(jobs) as pool,
    ):
        runs = Runs(trees, kept)
        results = {mutant: result for mutant in mutants if (result := runs.kept(mutant))}
        waiting = [mutant for mutant in mutants if mutant not in results]
        if waiting and (root / "nanopelican_hls").is_dir():
            with trees.one() as worker:
                check_interpreter(worker.tree)

        def attempt(mutant: Mutant) -> Result:
            seconds = runs.sound(mutant.tests).seconds if sound else None
            return runs.tried(mutant, None if seconds is None else ALLOWANCE + FACTOR * seconds)

        with tqdm(total=len(mutants), initial=len(results), unit=" faults", smoothing=0.05) as bar:
            futures = {pool.submit(attempt, mutant): mutant for mutant in waiting}
            try:
                for future in as_completed(futures):
                    mutant = futures[future]
                    results[mutant] = future.result()
                    if results[mutant].outcome != KILLED and not mutant.survives:
                        bar.write(f"{results[mutant].outcome}: {mutant}", file=sys.stderr)
                    bar.update()
            finally:
                pool.shutdown(cancel_futures=True)
    return {mutant: results[mutant] for mutant in mutants}


def kept_results(root: Path, mutants: Sequence[Mutant], kept: Path) -> dict[Mutant, Result]:
    """The results that there are for the present sources and tests."""
    with tempfile.TemporaryDirectory() as scratch:
        runs = Runs(Trees(root, Path(scratch), jobs=0), kept)
        return {mutant: result for mutant in mutants if (result := runs.kept(mutant))}


def open_faults(results: dict[Mutant, Result]) -> list[str]:
    """What must not stay: faults that survive without a reason, and reasons of faults that do not survive."""
    unexplained = [f"{r.outcome}: {m}" for m, r in results.items() if r.outcome != KILLED and not m.survives]
    refuted = [f"is killed by {r.test}: {m}" for m, r in results.items() if r.outcome == KILLED and m.survives]
    return unexplained + refuted


def page(results: dict[Mutant, Result], waiting: int = 0) -> str:
    """The table by area, and the faults that survive; ``waiting`` faults are not tried yet."""
    rows = []
    for area in [*dict.fromkeys(mutant.area for mutant in results), "all"]:
        of_area = [result for mutant, result in results.items() if area in (mutant.area, "all")]
        counts = Counter(result.outcome for result in of_area)
        seconds = f"{sum(result.seconds for result in of_area):.0f}"
        rows.append([area, len(of_area), *(counts[outcome] for outcome in (KILLED, SURVIVED, UNDECIDED)), seconds])
    parts = [
        "# Mutation testing",
        "`make mutants`: deliberate faults in the sources, one at a time (`mutants/*.yaml`), and whether the tests "
        "notice. Undecided: the time limit came first." + f" {waiting} more are not tried yet." * bool(waiting),
        table(["area", "tried", KILLED, SURVIVED, UNDECIDED, "s"], rows),
    ]
    survivors = [(m, r) for m, r in results.items() if r.outcome != KILLED]
    if survivors:
        cells = [[m.file, _cell(m.before), _cell(m.after), r.outcome, m.survives or "open"] for m, r in survivors]
        parts += ["## Faults that no test notices", table(["file", "text", "in its place", "result", "reason"], cells)]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """Source text as a table cell."""
    return f"`{' '.join(text.split())}`".replace("|", "\\|") if text.strip() else "nothing"


def as_json(results: dict[Mutant, Result]) -> str:
    """Every fault with its result."""
    entries = [
        {"area": m.area, "file": m.file, "before": m.before, "after": m.after, "reason": m.survives} | asdict(r)
        for m, r in results.items()
    ]
    return json.dumps({"mutants": entries}, indent=1) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--only", help="an area, such as headers, or a part of a file's path (default: all)")
    parser.add_argument("--kept", action="store_true", help="the pages from kept results; nothing is tried")
    parser.add_argument("--jobs", type=int, default=1, help="faults tried at the same time (default: 1)")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="results are kept in its folder mutants")
    args = parser.parse_args()
    mutants = read_mutants(ROOT / "mutants")
    if args.only:
        of_area = [mutant for mutant in mutants if mutant.area == args.only]
        mutants = of_area or [mutant for mutant in mutants if args.only in mutant.file]
    try:
        kept = args.build / "mutants"
        results = kept_results(ROOT, mutants, kept) if args.kept else try_mutants(ROOT, mutants, kept, args.jobs)
        text = page(results, waiting=len(mutants) - len(results))
        if not args.only:
            write_atomically(ROOT / "benchmarks" / "mutants.md", text, MutantError)
            write_atomically(ROOT / "benchmarks" / "mutants.json", as_json(results), MutantError)
    except MutantError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(text)
    wrong = open_faults(results)
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
