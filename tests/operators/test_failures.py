"""How a task ends before its time, and what its log says then."""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonServerError, LivePersonTransportError
from airflow_provider_lp.compat import AirflowFailException, AirflowTaskTimeout
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.sandbox import Fault
from tests.exported import calls
from tests.samples import crowd

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
