"""The examples, started in the ways in which people and programs start DAGs, over the sandbox."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_provider_lp.sandbox import Account, Sandbox

from .airflow_process import Airflow
from .example_runs import (
    ANCIENT,
    DUE,
    EXPORTS,
    FORGOTTEN,
    HOUR,
    NOW,
    WRONG_PERIODS,
    Outcome,
    copy_examples,
    date_of,
    days,
    ms,
    run_all,
    states_of,
)

WAYS = ["with a date", "without a date"]


@pytest.fixture(scope="module")
def outcome(prepared_airflow: Airflow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("ways")
    copy_examples(folder / "dags")
    airflow = prepared_airflow.copy(folder / "home", AIRFLOW__CORE__DAGS_FOLDER=str(folder / "dags"))
    # Those without a date first: to start one clears the runs before it.
    runs: list[tuple[str, datetime | None, Any]] = [
        (name, None, None) for name in (*EXPORTS, "asset_export", "low_csat_alert", "updated_day")
    ]
    runs += [(name, each.date_by_hand(), None) for name, each in EXPORTS.items()]
    runs += [("hourly_metrics", FORGOTTEN, None), ("nightly_export", ANCIENT, None)]
    runs += [("backfill", date_of(period), days(*period)) for period in WRONG_PERIODS]
    root = folder / "export"
    with Sandbox(account=Account(per_day=230, now=NOW)) as sandbox:
        said = run_all(airflow.connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=root.as_uri()), runs)
        yield Outcome(sandbox.account, root, states_of(airflow), said)


def exported(path: Path) -> list[str]:
    """The conversations in an object, in order."""
    lines = gzip.decompress(path.read_bytes()).splitlines()
    return [json.loads(line)["info"]["conversationId"] for line in lines]


def rows(root: Path, kind: str, level: str, hour: datetime) -> list[dict[str, Any]]:
    folder = root / "metrics" / kind / f"level={level}" / f"date={hour:%Y-%m-%d}" / f"hour={hour:%H}"
    return [json.loads(line) for line in (folder / "messaging_conversation.ndjson").read_bytes().splitlines()]


def resolved(account: Account, hour: datetime) -> list[Any]:
    """The conversations that were closed in the hour."""
    return [
        each
        for each in account.conversations()
        if each.conversation_end_ms is not None and ms(hour) <= each.conversation_end_ms < ms(hour + HOUR)
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXPORTS)
def test_each_example_exports_the_last_whole_period_before(outcome: Outcome, name: str, way: str) -> None:
    expected = EXPORTS[name]
    date = expected.date_by_hand() if way == "with a date" else None
    states = outcome.states[name, date]
    assert {tries for _, tries in states.values()} <= {0, 1}
    unsuccessful = {task for task, (state, _) in states.items() if state != "success"}
    assert unsuccessful == {task for task in states if task.startswith("recompute_")}
    start = expected.start_before(date or DUE)
    path = outcome.root / expected.path.format(start=start)
    if expected.time_field is None:
        assert path.exists()
    else:
        truth = outcome.account.truth(expected.time_field, ms(start), ms(start + expected.length))
        assert exported(path) == truth


def test_nothing_else_is_written(outcome: Outcome) -> None:
    expected = {
        outcome.root / each.path.format(start=each.start_before(moment))
        for each in EXPORTS.values()
        for moment in (each.date_by_hand(), DUE)
    }
    found = {path for path in outcome.root.rglob("*") if path.is_file()}
    assert found >= expected
    nights = {f"date={EXPORTS['nightly_export'].start_before(moment):%Y-%m-%d}" for moment in (NOW - 24 * HOUR, DUE)}
    for path in found - expected:
        parts = path.relative_to(outcome.root).parts
        assert parts[0] in ("metrics", "started", "tables")
        assert parts[0] == "metrics" or nights & {part.removesuffix(".json") for part in parts}


@pytest.mark.parametrize("moment", [NOW - 3 * HOUR, DUE], ids=WAYS)
def test_an_hour_of_metrics_is_the_sandboxs_truth(outcome: Outcome, moment: datetime) -> None:
    hour = EXPORTS["hourly_metrics"].start_before(moment)
    closed = resolved(outcome.account, hour)
    (account,) = rows(outcome.root, "live", "account", hour)
    assert account["totalResolvedConversations"] == len(closed)
    assert account["totalHandlingTime_resolvedConversations"] == sum(
        each.conversation_end_ms - each.start_ms for each in closed
    )
    assert (account["level"], account["interval_start"], account["interval_end"], account["derived"]) == (
        "account",
        hour.isoformat(),
        (hour + HOUR).isoformat(),
        False,
    )
    by_skill = {
        row["skill_id"]: row["totalResolvedConversations"]
        for row in rows(outcome.root, "live", "skill", hour)
        if row["level"] == "skill"
    }
    assert by_skill == Counter(str(each.skill_ids[-1]) for each in closed)


def test_an_hour_that_liveperson_has_forgotten_is_skipped_and_recomputed(outcome: Outcome) -> None:
    states = outcome.states["hourly_metrics", FORGOTTEN]
    assert states["export_account_metrics"] == states["export_skill_metrics"] == ("skipped", 1)
    assert states["recompute_account_metrics"] == states["recompute_skill_metrics"] == ("success", 1)
    assert "reaches further back than 24 h" in outcome.said
    hour = EXPORTS["hourly_metrics"].start_before(FORGOTTEN)
    (account,) = rows(outcome.root, "recomputed", "account", hour)
    assert account["derived"] is True
    assert account["totalResolvedConversations"] == len(resolved(outcome.account, hour))
    live = {
        path.parent.relative_to(outcome.root / "metrics" / "live") for path in outcome.root.rglob("live/**/*.ndjson")
    }
    assert not any((outcome.root / "metrics" / "recomputed" / folder).exists() for folder in live)


def test_the_night_becomes_tables_and_a_query(outcome: Outcome) -> None:
    pytest.importorskip("duckdb")
    start = EXPORTS["nightly_tables"].start_before(DUE)
    day, tables = f"date={start:%Y-%m-%d}", outcome.root / "tables"
    conversations = pq.read_table(tables / "conversations" / day / "conversations.parquet")
    assert conversations["conversation_id"].to_pylist() == exported(
        outcome.root / "raw" / day / "conversations.ndjson.gz"
    )
    manifest = json.loads((tables / "manifests" / f"{day}.json").read_text())
    assert manifest["sources"][0]["path"] == f"{outcome.root.as_uri()}/raw/{day}/conversations.ndjson.gz"
    for name, table in manifest["tables"].items():
        assert pq.read_metadata(tables / name / day / f"{name}.parquet").num_rows == table["rows"]
    assert manifest["tables"]["messages"]["rows"] == sum(conversations["messages"].to_pylist())
    (skill, count), *_ = Counter(conversations["latest_skill_name"].to_pylist()).most_common()
    assert any(skill in line and f" {count} " in line for line in outcome.said.splitlines())


def test_what_says_no_period_fails_at_once_and_says_so(outcome: Outcome) -> None:
    assert outcome.states["asset_export", None] == {
        "day_is_ready": ("failed", 1), "export_conversations": ("upstream_failed", 0),
    }  # fmt: skip
    assert "started without a logical date, or by an asset" in outcome.said
    assert outcome.states["nightly_export", ANCIENT]["day_is_ready"] == ("failed", 1)
    assert "LivePerson keeps conversations for 13 months" in outcome.said
    assert outcome.states["updated_day", None] == {"export_day": ("failed", 1)}
    assert "start='None' is not a moment" in outcome.said
    assert outcome.states["low_csat_alert", None]["new_conversations"] == ("failed", 1)
    assert "No event says which conversations this run is about" in outcome.said


@pytest.mark.parametrize("period", WRONG_PERIODS)
def test_a_backfill_of_a_wrong_period_fails_at_once_and_says_so(outcome: Outcome, period: tuple[int, int]) -> None:
    states = dict(outcome.states["backfill", date_of(period)])
    assert states.pop("plan") == ("failed", 1)
    assert {state for state, _ in states.values()} == {"upstream_failed"}
    assert WRONG_PERIODS[period] in outcome.said
