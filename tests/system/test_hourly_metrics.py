"""The hourly metrics in a real Airflow, over the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_lp.sandbox import Sandbox

from .airflow_process import Airflow

DAG_ID = "liveperson_hourly_metrics"
HOUR = timedelta(hours=1)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def rows(root: Path, level: str, hour: datetime) -> list[dict[str, Any]]:
    folder = root / "metrics" / f"level={level}" / f"date={hour:%Y-%m-%d}" / f"hour={hour:%H}"
    return [json.loads(line) for line in (folder / "messaging_conversation.ndjson").read_bytes().splitlines()]


def run_hour(airflow: Airflow, end: datetime) -> str:
    # What a run is called by is the end of its interval.
    done = airflow.run("dags", "test", DAG_ID, end.isoformat())
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def resolved(sandbox: Sandbox, hour: datetime) -> list[Any]:
    """The conversations that were closed in the hour."""
    return [
        each
        for each in sandbox.account.conversations()
        if each.conversation_end_ms is not None and ms(hour) <= each.conversation_end_ms < ms(hour + HOUR)
    ]


def test_an_hour_is_the_sandboxs_truth(airflow_of: Callable[..., Airflow], sandbox: Sandbox, tmp_path: Path) -> None:
    airflow = airflow_of().connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=tmp_path.as_uri())
    hour = this_hour() - 3 * HOUR
    run_hour(airflow, hour + HOUR)
    closed = resolved(sandbox, hour)
    account = rows(tmp_path, "account", hour)
    assert [row["level"] for row in account] == ["account"]
    assert account[0]["totalResolvedConversations"] == len(closed) > 0
    assert account[0]["totalHandlingTime_resolvedConversations"] == sum(
        each.conversation_end_ms - each.start_ms for each in closed
    )
    assert (account[0]["interval_start"], account[0]["interval_end"], account[0]["derived"]) == (
        hour.isoformat(),
        (hour + HOUR).isoformat(),
        False,
    )
    by_skill = {
        row["skill_id"]: row["totalResolvedConversations"]
        for row in rows(tmp_path, "skill", hour)
        if row["level"] == "skill"
    }
    skills = [str(each.skill_ids[-1]) for each in closed]
    assert by_skill == {skill_id: skills.count(skill_id) for skill_id in skills}


def test_an_hour_that_liveperson_has_forgotten_is_recomputed(
    airflow_of: Callable[..., Airflow], sandbox: Sandbox, tmp_path: Path
) -> None:
    airflow = airflow_of().connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=tmp_path.as_uri())
    hour = this_hour() - 40 * HOUR
    log = run_hour(airflow, hour + HOUR)
    assert "reaches further back than 24 h" in log
    account = rows(tmp_path, "account", hour)
    assert [row["derived"] for row in account] == [True]
    assert account[0]["totalResolvedConversations"] == len(resolved(sandbox, hour)) > 0
