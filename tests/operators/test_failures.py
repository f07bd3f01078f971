"""How a task ends before its time, and what its log says then."""

from __future__ import annotations

import errno
import logging
import os
import re
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client.errors import (
    LivePersonConnectionNotFoundError,
    LivePersonError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.compat import AirflowFailException, AirflowTaskTimeout
from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator
from airflow_provider_lp.operators.planning import LivePersonPlanWindowsOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.sandbox import Fault
from tests.exported import calls
from tests.samples import crowd
from tests.storages.refusing import Refusal, RefusingProxy

START, END = "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"


def operator(**arguments: Any) -> LivePersonConversationsOperator:
    return LivePersonConversationsOperator(task_id="export", **{"start": START, "end": END, **arguments})


def own_frames(error: BaseException) -> list[str]:
    """The functions of the package in an error's traceback, and of what Airflow would print with it."""
    assert error.__suppress_context__
    assert error.__cause__ is None
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.name for frame in frames if "airflow_provider_lp" in frame.filename]


def test_what_retrying_may_mend_leaves_without_a_traceback(serve: Any, fast: None, tmp_path: Path) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=None))
    with pytest.raises(LivePersonServerError) as caught:
        operator(path=str(tmp_path / "x.ndjson")).execute({})
    assert own_frames(caught.value) == []


def test_what_it_cannot_mend_leaves_with_what_airflow_needs(
    serve: Any, fast: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    serve(*crowd(250))
    with pytest.raises(AirflowFailException, match="max_xcom_bytes=10000") as caught:
        operator(max_xcom_bytes=10_000).execute({})
    assert own_frames(caught.value) == ["execute", "__exit__"]
    # Whoever looks for the place finds it at level DEBUG.
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.levelname == "DEBUG"
    assert "collect_batches" in caplog.text


def test_a_full_disk_leaves_without_a_traceback(serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serve(*crowd(3))
    # Writing to it fails as on a full disk.
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(os, "pwrite", lambda _file, data, _position: os.write(full, data))
    with pytest.raises(OSError, match="No space left on device while writing") as caught:
        operator(path=str(tmp_path / "x.ndjson")).execute({})
    os.close(full)
    assert own_frames(caught.value) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [AirflowTaskTimeout("Timeout"), TypeError("a mistake")])
def test_only_an_error_whose_message_says_all_loses_its_traceback(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, operator().final_failures():
        raise error
    assert caught.value is error
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert (names == []) is isinstance(error, AirflowTaskTimeout), names


def test_a_task_that_is_told_to_end_says_so_and_no_more(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("stall", seconds=60, times=None))
    task = operator()

    def end_it() -> None:
        while not calls(sandbox):
            time.sleep(0.01)
        task.on_kill()

    killer = threading.Thread(target=end_it)
    killer.start()
    with pytest.raises(LivePersonTransportError, match="was closed") as caught:
        task.execute({})
    killer.join()
    assert own_frames(caught.value) == []
    # Airflow 2.11 warns of an operator that runs by itself.
    own = [record for record in caplog.records if record.name.startswith("airflow_provider_lp")]
    warnings = [record.getMessage() for record in own if record.levelno >= logging.WARNING]
    assert warnings == ["Stopping: the task was told to end."]


# What a failure says that lasts longer than all retries.

PERIOD = "2026-03-10T00:00:00+00:00 to 2026-03-11T00:00:00+00:00"
DAY = {"start": START, "end": END}
TASKS: list[tuple[Any, dict[str, Any], str]] = [
    (LivePersonConversationsOperator, DAY, f"Nothing was published for {PERIOD} "),
    (LivePersonConversationLookupOperator, {"conversation_ids": ["c1"]}, "Nothing was published "),
    (LivePersonMetricsOperator, {**DAY, "source_of_truth": "conversations"}, f"Nothing was published for {PERIOD} "),
]


@pytest.mark.parametrize(("operator_class", "arguments", "outcome"), TASKS)
@pytest.mark.parametrize("kind", ["error_503", "partial_result"])
def test_an_outage_names_period_and_connection_and_that_nothing_was_published(
    serve: Any, fast: None, tmp_path: Path, operator_class: Any, arguments: Any, outcome: str, kind: str
) -> None:
    serve(*crowd(3)).add_fault(Fault(kind, times=None))
    for path, words in {f"{tmp_path}/x.ndjson": outcome, None: outcome.replace("published", "returned")}.items():
        with pytest.raises(LivePersonError) as caught:
            operator_class(task_id="export", path=path, **arguments).execute({})
        assert caught.value.retry_helps
        assert str(caught.value).count("Nothing was") == 1
        assert words + "(Airflow connection 'liveperson_default')." in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_connection_is_named_once() -> None:
    with pytest.raises(LivePersonConnectionNotFoundError) as caught:
        operator(path="/tmp/x.ndjson", liveperson_conn_id="nowhere").execute({})
    assert str(caught.value).count("'nowhere'") == 1
    assert str(caught.value).endswith("Nothing was published.")


def test_a_plan_says_that_there_is_none(serve: Any, fast: None) -> None:
    serve(*crowd(3)).add_fault(Fault("error_503", times=None))
    with pytest.raises(LivePersonServerError, match=rf"Nothing was planned for {re.escape(PERIOD)} \(Airflow conn"):
        LivePersonPlanWindowsOperator(task_id="plan", start=START, end=END).execute({})


def test_a_full_disk_names_the_period_too(serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serve(*crowd(3))
    monkeypatch.setattr(os, "fsync", lambda _file: _full())
    with pytest.raises(OSError, match=rf"No space left .* Nothing was published for {re.escape(PERIOD)}\. Make room"):
        operator(path=str(tmp_path / "x.ndjson")).execute({})


def _full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_tables_that_cannot_be_read_name_the_period_and_their_connection(
    serve: Any, tmp_path: Path, bucket: Any, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(*crowd(3))
    exported = operator(path="s3://lake@bucket/x.ndjson").execute({})
    exported["path"] = "s3://bucket/x.ndjson"
    refusal = Refusal(403, {"Content-Type": "application/xml"}, b"<Error><Code>ExpiredToken</Code></Error>")
    with RefusingProxy(s3.port, refusal, refuses_all=True).running() as proxy:
        monkeypatch.setenv("AIRFLOW_CONN_REFUSED", s3.connection(proxy.url))
        tables = LivePersonTablesOperator(
            task_id="tables", source=exported, source_conn_id="refused", path=f"{tmp_path}/{{table}}.parquet"
        )
        with pytest.raises(
            OSError, match=r"failed while reading s3://bucket/x\.ndjson: .*source_conn_id='refused'"
        ) as said:
            tables.execute({})
    assert str(said.value).endswith(f"Nothing was published for {PERIOD}.")
    assert list(tmp_path.iterdir()) == []


def test_tables_that_end_midway_say_which_are_published(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(*crowd(3))
    exported = operator(path=f"{tmp_path}/x.ndjson").execute({})
    replace = os.replace

    def full_at(source: str, target: str) -> None:
        if target.endswith("/messages.parquet"):
            _full()
        replace(source, target)

    monkeypatch.setattr(os, "replace", full_at)
    tables = LivePersonTablesOperator(task_id="tables", source=exported, path=f"{tmp_path}/{{table}}.parquet")
    with pytest.raises(OSError, match=r"Published before it, and anew with the next try: conversations\.") as said:
        tables.execute({})
    assert "Nothing" not in str(said.value)
