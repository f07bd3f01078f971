"""Measures the exporter against a bare loop that downloads the same pages, and prints a table."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import requests

from airflow_provider_lp.export.plan import plan_windows
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.export.redaction import rules as redaction_rules
from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.export.tiling import Rules
from airflow_provider_lp.windows import Window

from .exporter import client_of, export
from .records import tails
from .server import DAY_START_MS, Load, RunningServer, serving
from .side_by_side import beside_a_limit, four_to_one
from .tables import tables

CONVERSATIONS = 20_000
THREADS = 8
LATENCY_S = 0.15
#: As far back as LivePerson keeps conversations.
PLANNED_DAYS = 396
PLANNED_CONVERSATIONS = 1_000_000
ROUNDS = 3
REDACTED = 6_000
IMPORTS = 7
IMPORTED = (
    "operators.conversations",
    "operators.metrics",
    "operators.planning",
    "operators.tables",
    "sensors.conversations",
    "sensors.metrics",
)
IMPORT = """
import time, airflow.sdk
from airflow.providers.common.compat import sdk
sdk.BaseOperator, sdk.BaseSensorOperator, sdk.BaseHook
begun = time.perf_counter()
import airflow_provider_lp.{}
print((time.perf_counter() - begun) * 1000)
"""


class Cost(NamedTuple):
    """What something took, in seconds."""

    wall: float
    cpu: float


def cost_of(work: Callable[[], object]) -> Cost:
    """The least of some rounds."""
    costs = []
    for _ in range(ROUNDS):
        before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        work()
        after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - begun
        costs.append(Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return Cost(min(cost.wall for cost in costs), min(cost.cpu for cost in costs))


def download(server: RunningServer, asked: Iterable[tuple[str, str]]) -> None:
    """The bare loop: the same pages, by as many threads, thrown away."""
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
        headers = {"Authorization": "Bearer bench", "Content-Type": "application/json"}

        def fetch(page: tuple[str, str]) -> int:
            return len(session.post(server.url + page[0], data=page[1].encode(), headers=headers, timeout=60).content)

        with ThreadPoolExecutor(THREADS) as threads:
            sum(threads.map(fetch, asked))


def line(what: str, value: str, wanted: str = "") -> None:
    """One row of the table."""
    print(f"  {what:<58} {value:>14}   {wanted}")


def throughput(folder: Path, latency_s: float) -> None:
    """Compare an export with the bare loop."""
    with serving(Load(CONVERSATIONS, latency_s)) as server:
        summary = export(server.url, str(folder / "first.ndjson"), THREADS)
        asked = server.requests()
        bare = cost_of(lambda: download(server, asked))
        plain = cost_of(lambda: export(server.url, str(folder / "plain.ndjson"), THREADS))
        print(f"\n{CONVERSATIONS:,} conversations of 10 KB, {latency_s * 1000:g} ms a page, {THREADS} in flight")
        line("bare loop", f"{CONVERSATIONS / bare.wall:,.0f} /s", f"{bare.cpu:.2f} s CPU")
        line("export, plain", f"{CONVERSATIONS / plain.wall:,.0f} /s", f"{plain.cpu:.2f} s CPU")
        if latency_s:
            line("throughput, export to bare loop", f"{bare.wall / plain.wall:.2f}", "at least 0.85")
            pages = -(-CONVERSATIONS // 100)
            line("requests above the pages", f"{summary['requests'] - pages}", "at most 5")
            return
        line("CPU, export to bare loop", f"{plain.cpu / bare.cpu:.2f}", "at most 2.5")
        for suffix in (".gz", ".zst"):
            path = folder / f"small.ndjson{suffix}"
            packed = cost_of(lambda path=path: export(server.url, str(path), THREADS))
            smaller = (folder / "plain.ndjson").stat().st_size / path.stat().st_size
            line(f"export, {suffix}", f"{CONVERSATIONS / packed.wall:,.0f} /s", f"{packed.cpu:.2f} s CPU")
            line(f"speed of {suffix} to plain", f"{plain.wall / packed.wall:.2f}", f"{smaller:.1f} times smaller")


def side_by_side(folder: Path) -> None:
    """Export by several tasks, beside a limit and without one."""
    print(f"\nTasks beside a limit, {LATENCY_S * 1000:g} ms a page: time to pages x latency / limit")
    for what, ratio, told in beside_a_limit(folder, LATENCY_S):
        line(what, ratio, told)
    line("four tasks of 4 to one, no limit", f"{four_to_one(folder):.2f}", "at most 0.3")


def redaction(folder: Path) -> None:
    """Compare an export that takes personal data out with one that does not."""
    redactor = Redactor(redaction_rules.Rules.checked({"preset": "personal", "key_conn_id": "key"}), key="bench")
    print("\nCPU of an export with the preset 'personal', to one without")
    for what, load in (
        ("10 KB, messages only", Load(REDACTED)),
        ("24 KB, 16 messages, all other parts", Load(REDACTED // 3, tails=tails())),
    ):
        with serving(load) as server:
            plain = cost_of(lambda server=server: export(server.url, str(folder / "plain.ndjson"), THREADS))
            redacted = cost_of(
                lambda server=server: export(server.url, str(folder / "red.ndjson"), THREADS, redactor=redactor)
            )
        line(what, f"{redacted.cpu / plain.cpu:.2f}", "at most 3")


def planning() -> None:
    """Plan 13 months of a million conversations."""
    days = timedelta(days=PLANNED_DAYS)
    start = datetime.fromtimestamp(DAY_START_MS / 1000, UTC)
    query = ConversationQuery.checked(Window.between(start, start + days), now=start + days)
    print(f"\nPlanning 13 months of a million conversations, {LATENCY_S * 1000:g} ms a page, {THREADS} in flight")
    with serving(Load(PLANNED_CONVERSATIONS, LATENCY_S, PLANNED_DAYS)) as server:
        for target in (50_000, 1_500):
            rules = Rules.checked(target_conversations=target, longest=timedelta(days=1), most_windows=1024)
            before, begun = len(server.requests()), time.perf_counter()
            with client_of(server.url, THREADS) as client:
                windows = plan_windows(client, query, rules)
            took_s, requests = time.perf_counter() - begun, len(server.requests()) - before
            line(f"requests for {len(windows)} windows of about {target:,}", f"{requests}", "at most 2000")
            line("the same, in seconds", f"{took_s:.1f} s")


class Process(NamedTuple):
    """What a process took."""

    peak_mib: float
    seconds: float


def process(*arguments: str) -> Process:
    """One that exports, or one that only imports."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.exporter", *arguments], capture_output=True, text=True, check=True
    )
    return Process(*map(float, done.stdout.split()))


def growth(folder: Path) -> None:
    """Compare memory and time of a small and of a large export."""
    exports = []
    for conversations in (10_000, 100_000):
        with serving(Load(conversations)) as server:
            rounds = [process(server.url, str(folder / "night.ndjson"), str(THREADS)) for _ in range(ROUNDS)]
            exports.append(Process(max(each.peak_mib for each in rounds), min(each.seconds for each in rounds)))
    idle, (small, large) = process().peak_mib, exports
    print("\nFrom 10,000 to 100,000 conversations")
    line("peak memory of 10,000, above an idle import", f"{small.peak_mib - idle:.0f} MiB", "at most 150")
    line("peak memory of 100,000, above an idle import", f"{large.peak_mib - idle:.0f} MiB", "at most 150")
    line("100,000 above 10,000", f"{large.peak_mib - small.peak_mib:.0f} MiB", "at most 30")
    line("time of 10,000 and of 100,000", f"{small.seconds:.1f}, {large.seconds:.1f} s")
    line("time a conversation, 100,000 to 10,000", f"{large.seconds / small.seconds / 10:.2f}", "at most 1.15")


def import_ms(module: str, environment: Mapping[str, str]) -> float:
    """What importing a module costs in a fresh process that has Airflow already."""
    code = IMPORT.format(module)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def imports(folder: Path) -> None:
    """How much the import of each module that a DAG names adds to Airflow's."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(folder / "airflow"),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }
    # An installed package is compiled once, and not at each parse.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    print("\nImport on top of airflow.sdk (median)")
    for module in IMPORTED:
        import_ms(module, environment)
        took = [import_ms(module, environment) for _ in range(IMPORTS)]
        line(module, f"{statistics.median(took):.1f} ms", "at most 15")


def main() -> None:
    """Measure all of it."""
    with tempfile.TemporaryDirectory(prefix="liveperson-bench-") as name:
        folder = Path(name)
        throughput(folder, LATENCY_S)
        throughput(folder, 0.0)
        growth(folder)
        side_by_side(folder)
        redaction(folder)
        planning()
        tables(folder, line)
        imports(folder)


if __name__ == "__main__":
    main()
