"""The days that late updates touch: in the summary, and as partition keys of asset events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.compat import AirflowFailException, Asset, AssetAlias
from airflow_provider_lp.export.conversations import export_conversations
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
from airflow_provider_lp.windows import Window
from tests.exported import connect, query_of
from tests.samples import DAY, NOW, at

LAST_DAY = Window(at(10), at(11))


def updated(name: str, start_ms: int, update_ms: int) -> Conversation:
    return Conversation(name, start_ms, update_ms, conversation_end_ms=start_ms + 60_000)


#: Updated on March 10, but for the last one; the last but one has started after that day.
CONVERSATIONS = [
    updated("late", at(3, 23, 59), at(10, 1)),
    updated("later", at(7), at(10, 2)),
    updated("too", at(7, 12), at(10, 3)),
    updated("new", at(10, 4), at(10, 5)),
    updated("next day", at(11, 0, 30), at(11, 0, 40)),
    updated("old", at(5), at(6)),
]
TOUCHED = ["2026-03-03", "2026-03-07", "2026-03-10"]


def accessors() -> Any:
    """What Airflow hands to a task for the events of its outlets."""
    try:
        from airflow.sdk.execution_time.context import OutletEventAccessors
    except ImportError:
        from airflow.utils.context import OutletEventAccessors
    return OutletEventAccessors()


def execute(path: Path, outlets: Any, **arguments: Any) -> tuple[Any, Any]:
    """Export what was updated on March 10; gives the summary and the events."""
    arguments = {"start": "2026-03-10T00:00:00Z", "end": "2026-03-11T00:00:00Z", **arguments}
    operator = LivePersonConversationsOperator(
        task_id="find", **{"time_field": "latest_update", "path": str(path), **arguments}, outlets=outlets
    )
    events = accessors()
    return operator.execute({"outlet_events": events}), events


def keys(event: Any) -> set[str]:
    return set(getattr(event, "partition_keys", ()))


def test_each_day_that_was_touched_is_a_partition(serve: Any, tmp_path: Path) -> None:
    serve(*CONVERSATIONS)
    asset = Asset("file:///tmp/updated")
    summary, events = execute(tmp_path / "x.ndjson", [asset], partition_by_day=True)
    assert summary["days"] == TOUCHED
    assert summary["conversations"] == 5
    assert events[asset].extra == summary
    if hasattr(events[asset], "add_partitions"):
        from airflow.sdk.execution_time.task_runner import _serialize_outlet_events

        sent = list(_serialize_outlet_events(events))
        assert sorted(each["partition_key"] for each in sent) == TOUCHED
        assert all(each["extra"] == summary for each in sent)


def test_nobody_gets_partitions_who_did_not_ask(serve: Any, tmp_path: Path) -> None:
    serve(*CONVERSATIONS)
    asset, alias = Asset("file:///tmp/updated"), AssetAlias("updated")
    summary, events = execute(tmp_path / "x.ndjson", [asset])
    assert (summary["days"], keys(events[asset])) == (TOUCHED, set())
    summary, events = execute(tmp_path / "x.ndjson", [asset], time_field="start")
    assert ("days" in summary, keys(events[asset])) == (False, set())
    # Airflow takes no keys for the events of an alias.
    _, events = execute(tmp_path / "x.ndjson", [alias], partition_by_day=True)
    assert keys(events[alias]) == set()


def test_a_night_without_updates_has_no_days(serve: Any, tmp_path: Path) -> None:
    serve(updated("old", at(5), at(6)))
    asset = Asset("file:///tmp/updated")
    summary, events = execute(tmp_path / "x.ndjson", [asset], partition_by_day=True)
    assert (summary["days"], keys(events[asset])) == ([], set())


@pytest.mark.parametrize("arguments", [{"time_field": "end"}, {"path": None}])
def test_days_are_told_of_late_updates_only(tmp_path: Path, arguments: Any) -> None:
    arguments = {"time_field": "latest_update", "path": f"{tmp_path}/x.ndjson", **arguments}
    with pytest.raises(AirflowFailException, match=r"partition_by_day=True goes with time_field='latest_update' and a"):
        LivePersonConversationsOperator(task_id="find", partition_by_day=True, **arguments)


@settings(max_examples=8)
@given(starts=st.lists(st.integers(at(10) - 60 * DAY, at(11) - 1), min_size=1, max_size=8, unique=True))
def test_the_days_are_those_of_the_starts(tmp_path: Path, starts: list[int]) -> None:
    conversations = [updated(f"c{number}", start, at(10, 23)) for number, start in enumerate(starts)]
    with Sandbox(account=Account.of(conversations, now=NOW)) as sandbox, connect(sandbox) as client:
        from upath import UPath

        query = query_of(LAST_DAY, time_field="latest_update")
        summary = export_conversations(client, query, UPath(str(tmp_path / "x.ndjson")))
    days = {start // DAY * DAY for start in starts}
    assert summary["days"] == [f"{Window(day, day + DAY).start:%Y-%m-%d}" for day in sorted(days)]
