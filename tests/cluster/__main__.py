"""
A backfill of forty days by two workers, one of which is killed half-way.

``make cluster-demo`` runs ``python -m tests.cluster --folder .cluster``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow_provider_lp.sandbox import Account, Sandbox
from airflow_provider_lp.sandbox.credentials import airflow_connection
from tests.export.archive import archive_of
from tests.system.rest_api import RestApi

from . import odd
from .airflow import HEARTBEAT_TIMEOUT_S, TASKS_PER_WORKER, WORKERS, Cluster, cluster
from .binaries import MissingProgramError
from .proof import prove
from .servers import broker, postgres

EXAMPLES = Path(__file__).parents[2] / "dags_examples"
DAG_ID = "liveperson_backfill"
TASK_ID = "export_window"
RETRY_DELAY = "retry_delay=timedelta(minutes=5)"
DAYS = 40
PER_DAY = 250
#: What a request takes; and while a worker is killed, so that its tasks are in the midst of one.
LATENCY_S = 0.1
LATENCY_AT_THE_KILL_S = 5.0
SECONDS_FOR_THE_RUN = 900
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BEGUN_S = time.monotonic()


def say(line: str) -> None:
    """Print what happens, and when."""
    print(f"{time.monotonic() - BEGUN_S:6.1f} s  {line}", flush=True)


@dataclass(slots=True)
class Watched:
    """
    A run, told as it goes on.

    :param parts: the Airflow.
    :param told_s: when it was told last.
    """

    parts: Cluster
    told_s: float = field(default_factory=time.monotonic)

    def done(self) -> int:
        """How many windows are exported; told every ten seconds."""
        mapped = self.parts.mapped(TASK_ID)
        states = Counter(each.state for each in mapped)
        if mapped and time.monotonic() - self.told_s >= 10:
            self.told_s = time.monotonic()
            say(f"{states['success']} of {len(mapped)} windows exported, {states['running']} running.")
        return states["success"]

    def half(self) -> bool:
        """Whether half of the windows are exported."""
        return 0 < len(self.parts.mapped(TASK_ID)) <= 2 * self.done()

    def ended(self) -> bool:
        """Whether the run is over."""
        self.done()
        return self.parts.run_state(DAG_ID) in ("success", "failed")


def kill_a_worker(parts: Cluster, sandbox: Sandbox) -> list[int]:
    """Kill a worker while it exports; gives the map indexes of what it was at."""
    victim = WORKERS[-1]
    since_s = time.time()
    sandbox.latency_s = LATENCY_AT_THE_KILL_S
    # Those that began since then have requests of seconds before them.
    parts.wait_for(lambda: [each for each in parts.running_on(victim, TASK_ID) if each.started_s > since_s])
    at_work = parts.running_on(victim, TASK_ID)
    parts.kill(victim)
    sandbox.latency_s = LATENCY_S
    still = {each.map_index for each in parts.mapped(TASK_ID) if each.state == "running"}
    lost = [each.map_index for each in at_work if each.map_index in still]
    assert lost, f"{victim} had ended its tasks before it was killed."
    say(f"Killed {victim} (SIGKILL, its whole session) in the midst of {len(lost)} of its tasks: windows {lost}.")
    say(f"Airflow misses their heartbeats after {HEARTBEAT_TIMEOUT_S} s, and tries them again.")
    return lost


def dags_in(folder: Path) -> Path:
    """A folder of the backfill example, whose retries come soon, and of the cluster's own DAG."""
    shutil.copytree(Path(__file__).parent / "dags", folder)
    example = (EXAMPLES / "backfill.py").read_text()
    assert RETRY_DELAY in example
    (folder / "backfill.py").write_text(example.replace(RETRY_DELAY, "retry_delay=timedelta(seconds=5)"))
    return folder


def demo(folder: Path) -> int:
    """Run it in a folder; the exit status is 0 when all is there."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS)
    shutil.rmtree(folder, ignore_errors=True)
    dags = dags_in(folder / "dags")
    export = folder / "export"
    export.mkdir(parents=True)
    odd_day = (today - timedelta(days=2), today - timedelta(days=1))
    with ExitStack() as stack:
        database, queue = stack.enter_context(postgres()), stack.enter_context(broker())
        say(f"Metadata database: {database.version}. Broker: {queue.version}.")
        sandbox = stack.enter_context(Sandbox(account=Account(days=DAYS + 1, per_day=PER_DAY)))
        sandbox.latency_s = LATENCY_S
        _, scripted = stack.enter_context(archive_of(odd.records(odd_day[0])))
        say(f"LivePerson: a sandbox with {PER_DAY} conversations a day at {sandbox.url}.")
        parts = stack.enter_context(
            cluster(
                folder / "airflow",
                dags,
                database,
                queue,
                AIRFLOW_CONN_LIVEPERSON_DEFAULT=json.dumps(airflow_connection(sandbox.url, sandbox.account.account_id)),
                AIRFLOW_CONN_LIVEPERSON_ODD=json.dumps(airflow_connection(scripted.url, sandbox.account.account_id)),
                AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=export.as_uri(),
                ODD_RECORDS_START=odd_day[0].isoformat(),
                ODD_RECORDS_END=odd_day[1].isoformat(),
                NO_PROXY="127.0.0.1",
            )
        )
        stack.callback(ignore_signals)
        say(f"Airflow: API server, DAG processor, scheduler and {len(WORKERS)} workers of {TASKS_PER_WORKER} tasks.")
        api = RestApi(parts)
        api.post("/pools", name="liveperson", slots=len(WORKERS) * TASKS_PER_WORKER)
        parts.wait_for(lambda: len(parts.rows("select 1 from dag where not is_stale")) == len(list(dags.glob("*.py"))))
        api.post("/dags/odd_records/dagRuns", logical_date=None)
        api.post(
            f"/dags/{DAG_ID}/dagRuns", logical_date=None, conf={"start": str(first.date()), "end": str(today.date())}
        )
        say(f"Triggered {DAG_ID} for {first:%Y-%m-%d} to {today:%Y-%m-%d}.")
        watched = Watched(parts)
        parts.wait_for(watched.half, SECONDS_FOR_THE_RUN)
        lost = kill_a_worker(parts, sandbox)
        parts.wait_for(watched.ended, SECONDS_FOR_THE_RUN)
        say(f"The run has ended: {parts.run_state(DAG_ID)}.")
        parts.wait_for(lambda: parts.run_state("odd_records") in ("success", "failed"))
        return report(parts, sandbox, export, lost, (first, today))


def report(parts: Cluster, sandbox: Sandbox, export: Path, lost: list[int], period: tuple[datetime, datetime]) -> int:
    """Compare what is there with the truth, and print both."""
    start_ms, end_ms = (int(moment.timestamp() * 1000) for moment in period)
    truth = sandbox.account.truth("start", start_ms, end_ms)
    proof = prove(export, truth)
    flaws = list(proof.flaws)
    if proof.manifests != 1:
        flaws.append(f"there are {proof.manifests} manifests instead of one")
    tried = {each.map_index: each.number for each in parts.mapped(TASK_ID)}
    flaws += [
        f"run of {dag_id}: {parts.run_state(dag_id)}"
        for dag_id in (DAG_ID, "odd_records")
        if parts.run_state(dag_id) != "success"
    ]
    flaws += [f"window {each} was not tried again" for each in lost if tried[each] < 2]
    returned = parts.rows("select value from xcom where dag_id = 'odd_records' and key = 'return_value'")
    flaws += odd.flaws(returned[0][0] if returned else None)
    taken = [name for name, (sent, _) in odd.VALUES.items() if parts.database.takes(sent)]
    flaws += [f"PostgreSQL takes {name} as it was sent: this proves nothing" for name in taken]
    again = sum(number > 1 for number in tried.values())
    print("\nSummary")
    print(f"  The sandbox has {len(truth):,} conversations of {DAYS} days.")
    print(f"  {proof.objects} objects hold {proof.conversations:,}, read without the code that wrote them.")
    print(f"  {proof.manifests} manifest tells of as many.")
    print(f"  {len(tried)} mapped tasks, {again} of them tried again: {len(lost)} were at work on the killed worker.")
    print(
        f"  {len(odd.VALUES) + 1} odd records, which PostgreSQL refuses as sent, went through XCom and were read back."
    )
    for flaw in flaws:
        print(f"  WRONG: {flaw}")
    print("  Nothing is missing, nothing is doubled." if not flaws else "  Please report this.")
    return 1 if flaws else 0


def stop(*_: object) -> None:
    """End, with everything that was started; further signals do not keep from that."""
    ignore_signals()
    raise KeyboardInterrupt


def ignore_signals() -> None:
    """From now on."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def main() -> int:
    """Run the demo; the exit status is 0 when what was written is what the sandbox has."""
    parser = argparse.ArgumentParser(description="Export forty days of a sandbox with Celery workers, and kill one.")
    parser.add_argument("--folder", type=Path, required=True, help="where to keep Airflow's files and the export")
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        status = demo(arguments.folder.resolve())
        say("All that was started has ended.")
        return status
    except MissingProgramError as error:
        print(error)
    except (AssertionError, RuntimeError) as error:
        print(f"{error}\n\nThe cluster failed; its logs are in {arguments.folder / 'airflow'}.")
    except KeyboardInterrupt:
        print("\nStopped; all that it had started has ended.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
