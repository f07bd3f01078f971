"""Runs of the examples: with a date by hand, and without one; what each is to export, and what became of them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from airflow_provider_lp.sandbox import Account

from .airflow_process import Airflow
from .conftest import EXAMPLES, TODAY

CHECKOUT = Path(__file__).parents[2]
#: As much as a busy machine needs.
SECONDS = 900
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOW = datetime.now(UTC)
#: When a run without a date is due: LivePerson shows all that was before.
DUE = NOW - timedelta(minutes=10)


class Export(NamedTuple):
    """
    What a run of an example is to export.

    :param length: of its period.
    :param path: of the object, with the period's start.
    :param time_field: which conversations it holds; ``None`` if it holds none.
    :param zone: whose days.
    """

    length: timedelta
    path: str
    time_field: str | None = "start"
    zone: str = "UTC"

    def start_before(self, moment: datetime) -> datetime:
        """The start of the last whole day or hour before a moment."""
        local = moment.astimezone(ZoneInfo(self.zone)).replace(minute=0, second=0, microsecond=0)
        return local - HOUR if self.length == HOUR else local.replace(hour=0) - DAY

    def date_by_hand(self) -> datetime:
        """A moment of no schedule, as clients send it."""
        return NOW - (3 * HOUR if self.length == HOUR else DAY)


EXPORTS = {
    "nightly_repair": Export(DAY, "started/date={start:%Y-%m-%d}/conversations.ndjson.gz"),
    "nightly_export": Export(DAY, "started/date={start:%Y-%m-%d}/conversations.ndjson.gz"),
    "nightly_closed": Export(DAY, "ended/date={start:%Y-%m-%d}/conversations.ndjson.gz", "end"),
    "nightly_tables": Export(DAY, "raw/date={start:%Y-%m-%d}/conversations.ndjson.gz"),
    "berlin_export": Export(DAY, "berlin/date={start:%Y-%m-%d}/conversations.ndjson.gz", zone="Europe/Berlin"),
    "late_updates": Export(DAY, "updated/date={start:%Y-%m-%d}/conversations.ndjson.gz", None),
    "wait_then_export": Export(HOUR, "hourly/date={start:%Y-%m-%d}/hour={start:%H}/conversations.ndjson.gz"),
    "hourly_metrics": Export(
        HOUR, "metrics/live/level=skill/date={start:%Y-%m-%d}/hour={start:%H}/messaging_conversation.ndjson", None
    ),
}
#: A date that is too old for LivePerson.
ANCIENT = NOW - 500 * DAY
#: A date before which is an hour that LivePerson's metrics no longer reach back to.
FORGOTTEN = NOW - 40 * HOUR
#: Wrong periods of the backfill, in days from today, and what is to be said of them.
WRONG_PERIODS = {
    (-1, -2): "is not after start=",
    (-1, -1): "is not after start=",
    (3, 5): "lies in the future",
    (-2, 5): "reaches into the future",
    (-500, -499): "LivePerson keeps conversations for 13 months",
}


class Outcome(NamedTuple):
    """
    What became of all runs.

    :param account: what they have exported from.
    :param root: where to.
    :param states: the state and the number of tries of each task, by DAG and logical date.
    :param said: all that was printed.
    """

    account: Account
    root: Path
    states: dict[tuple[str, datetime | None], dict[str, tuple[str, int]]]
    said: str


def copy_examples(dags: Path) -> None:
    """The examples, one of them for Berlin's days and one started by an asset, too; one day is enough to repair."""
    dags.mkdir()
    for path in EXAMPLES.glob("*.py"):
        (dags / path.name).write_text(path.read_text().replace("\nDAYS = 7\n", "\nDAYS = 1\n"))
    nightly = (EXAMPLES / "nightly_export.py").read_text().replace("/started/", "/berlin/")
    berlin = nightly.replace('TIME_ZONE = "UTC"', 'TIME_ZONE = "Europe/Berlin"').replace("_nightly_", "_berlin_")
    schedule = 'schedule=CronDataIntervalTimetable("0 0 * * *", timezone=TIME_ZONE)'
    assert schedule in nightly
    by_asset = nightly.replace(schedule, 'schedule=[Asset("something")]').replace("_nightly_", "_asset_")
    (dags / "berlin_export.py").write_text(berlin)
    (dags / "asset_export.py").write_text(by_asset)


def days(first: int, last: int) -> dict[str, str]:
    """A period of the backfill, counted in days from today."""
    return {"start": f"{TODAY + first * DAY:%Y-%m-%d}", "end": f"{TODAY + last * DAY:%Y-%m-%d}"}


def date_of(period: tuple[int, int]) -> datetime:
    """A date that tells the run for this period from the others; it has no other meaning."""
    return TODAY - DAY * (1 + list(WRONG_PERIODS).index(period))


def run_all(airflow: Airflow, runs: list[tuple[str, datetime | None, Any]]) -> str:
    described = [
        {
            "dag_id": f"liveperson_{name}",
            "logical_date": date and date.isoformat(),
            "run_after": None if date else DUE.isoformat(),
            "run_conf": conf,
        }
        for name, date, conf in runs
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.dag_tests", json.dumps(described)],
        env={**airflow.environment, "PYTHONPATH": str(CHECKOUT)},
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def states_of(airflow: Airflow) -> dict[tuple[str, datetime | None], dict[str, tuple[str, int]]]:
    query = (
        "select task_instance.dag_id, logical_date, task_id, task_instance.state, try_number"
        " from task_instance join dag_run using (dag_id, run_id)"
    )
    found: dict[tuple[str, datetime | None], dict[str, tuple[str, int]]] = {}
    with sqlite3.connect(airflow.home / "airflow.db") as database:
        for dag_id, text, task_id, state, tries in database.execute(query):
            date = text and datetime.fromisoformat(text).replace(tzinfo=UTC)
            found.setdefault((dag_id.removeprefix("liveperson_"), date), {})[task_id] = (state, tries)
    return found


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
