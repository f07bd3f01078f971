"""What an export may replace: what was published for its own window, or for a part of it."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pendulum
import pytest

from airflow_provider_lp.compat import AirflowFailException
from airflow_provider_lp.export.labels import earlier_at
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator
from airflow_provider_lp.sandbox import Sandbox
from airflow_provider_lp.windows import Window
from tests.operators.reconciled import moment
from tests.samples import DAY as DAY_MS
from tests.samples import at, crowd

DAILY = {"window": timedelta(days=1)}
BY_HAND = {"logical_date": pendulum.datetime(2026, 3, 11, 13, 39, 10, 533), "outlet_events": {}}
ON_SCHEDULE = {"logical_date": pendulum.datetime(2026, 3, 11), "outlet_events": {}}
BY_DAY = "{start:%Y-%m-%d}.ndjson"
DAY = Window(at(10), at(11))


@pytest.fixture
def sandbox(serve: Any) -> Sandbox:
    served: Sandbox = serve(*crowd(5, at(10, 20)))
    return served


def export(path: str, context: Any = None, **arguments: Any) -> Any:
    made = LivePersonConversationsOperator(task_id="export", path=path, **arguments)
    return made.execute({} if context is None else context)


def export_window(path: str, window: Window) -> Any:
    return export(path, start=moment(window.start_ms), end=moment(window.end_ms))


def unlabelled(path: Path) -> None:
    """As older versions have published it, and stores that know no labels."""
    with suppress(OSError):
        for name in os.listxattr(path):
            os.removexattr(path, name)


PARTS = [
    Window(at(10), at(10, 1)),
    Window(at(10, 23), at(11)),
    Window(at(10, 11), at(11)),
    Window(at(10), at(10, 13)),
    Window(at(10) + 1, at(11)),
    Window(at(10), at(11) - 1),
]


@pytest.mark.parametrize("window", PARTS, ids=str)
def test_a_day_is_not_replaced_by_what_does_not_cover_it(sandbox: Sandbox, tmp_path: Path, window: Window) -> None:
    export_window(f"{tmp_path}/{BY_DAY}", DAY)
    (file,) = tmp_path.iterdir()
    published, asked = file.read_bytes(), len(sandbox.requests)
    with pytest.raises(AirflowFailException, match=r"would be lost.*delete it first") as refused:
        export_window(f"{tmp_path}/{BY_DAY}", window)
    for named in (DAY, window, file):
        assert str(named) in str(refused.value)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == published
    assert not [each for each in sandbox.requests[asked:] if "conversations" in each.path]


@pytest.mark.parametrize("window", [DAY, Window(at(10, 2), at(11, 2))], ids=str)
def test_what_does_not_say_what_it_holds_is_exported_again(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, window: Window
) -> None:
    for _ in range(2):
        export_window(f"{tmp_path}/{BY_DAY}", window)
        (file,) = tmp_path.iterdir()
        unlabelled(file)
    assert str(file) not in "".join(each.message for each in caplog.records if each.levelno >= logging.WARNING)


@pytest.mark.parametrize("window", PARTS[:2], ids=str)
def test_nor_is_it_by_an_hour_where_it_does_not_say_what_it_holds(
    sandbox: Sandbox, tmp_path: Path, window: Window
) -> None:
    export_window(f"{tmp_path}/{BY_DAY}", DAY)
    (file,) = tmp_path.iterdir()
    unlabelled(file)
    published = file.read_bytes()
    with pytest.raises(AirflowFailException, match=r"does not say for which window .* may be lost"):
        export_window(f"{tmp_path}/{BY_DAY}", window)
    assert file.read_bytes() == published


@pytest.mark.parametrize(
    ("name", "earlier", "window"),
    [
        (BY_DAY, Window(at(10, 2), at(11, 2)), Window(at(10, 3), at(11, 3))),
        ("{start:%a}.ndjson", DAY, Window(at(17), at(18))),
    ],
    ids=["a schedule was moved", "a week's files are used again"],
)
def test_a_day_replaces_another_that_had_its_name(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, earlier: Window, window: Window
) -> None:
    export_window(f"{tmp_path}/{name}", earlier)
    assert "holds the window" not in caplog.text
    export_window(f"{tmp_path}/{name}", window)
    assert f"holds the window {earlier}. It is replaced by the window {window}." in caplog.text
    export_window(f"{tmp_path}/{name}", window)


@pytest.mark.parametrize("window", [PARTS[0], PARTS[2]], ids=str)
def test_a_part_may_be_published_again_and_be_replaced_by_more(
    sandbox: Sandbox, tmp_path: Path, window: Window
) -> None:
    export_window(f"{tmp_path}/{BY_DAY}", window)
    for larger in (window, Window(at(10), at(11, 6)), Window(at(10), at(12))):
        export_window(f"{tmp_path}/{BY_DAY}", larger)
    from upath import UPath

    (file,) = tmp_path.iterdir()
    assert earlier_at(UPath(str(file))) == (Window(at(10), at(12)),)


def test_a_week_is_not_replaced_by_its_first_day(sandbox: Sandbox, tmp_path: Path) -> None:
    week = Window(at(10), at(17))
    export_window(f"{tmp_path}/{BY_DAY}", week)
    with pytest.raises(AirflowFailException, match="does not cover that"):
        export_window(f"{tmp_path}/{BY_DAY}", DAY)
    export_window(f"{tmp_path}/{BY_DAY}", week)


def test_a_run_that_is_started_by_hand_replaces_no_day_with_parts_of_two(sandbox: Sandbox, tmp_path: Path) -> None:
    path = f"file://{tmp_path}/{BY_DAY}"
    export(path, ON_SCHEDULE, **DAILY)
    for labelled in (True, False):
        if not labelled:
            unlabelled(tmp_path / "2026-03-10.ndjson")
        with pytest.raises(AirflowFailException, match=r"2026-03-10\.ndjson .*13:39:10.* the schedule"):
            export(path, BY_HAND, **DAILY)
    export(path, ON_SCHEDULE, **DAILY)


@pytest.mark.parametrize("name", ["{start:%Y-%m-%dT%H%M%S}.ndjson", f"other-{BY_DAY}", "latest.ndjson"])
def test_a_run_that_is_started_by_hand_publishes_where_it_replaces_nothing_else(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    export(f"file://{tmp_path}/{name.removeprefix('other-')}", ON_SCHEDULE, **DAILY)
    for _ in range(2):
        assert export(f"file://{tmp_path}/{name}", BY_HAND, **DAILY)["conversations"] == 5
    assert ("It will hold the window" in caplog.text) == name.startswith("other-")


@pytest.mark.parametrize(("window", "is_told"), [(PARTS[0], True), (PARTS[1], True), (DAY, False)], ids=str)
def test_an_hour_under_the_name_of_its_day_is_told(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, window: Window, is_told: bool
) -> None:
    export_window(f"{tmp_path}/{BY_DAY}", window)
    assert (f"It will hold the window {window} only." in caplog.text) is is_told
    export_window(f"{tmp_path}/{BY_DAY}", window)


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("{start:%Y-%m-%dT%H}.ndjson", Window(at(10, 20), at(10, 21))),
        ("{end:%Y-%m-%d}.ndjson", DAY),
        ("{start:%Y-%m-%d}-{end:%Y-%m-%d}.ndjson", DAY),
        ("{start:%Y-%m}.ndjson", Window(at(1), at(31) + DAY_MS)),
    ],
)
def test_what_a_path_names_whole_is_exported_again_whatever_is_there(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, window: Window
) -> None:
    for _ in range(2):
        export_window(f"{tmp_path}/{name}", window)
        unlabelled(next(tmp_path.iterdir()))
    assert "would be the path of" not in caplog.text


@pytest.mark.parametrize(
    ("template", "is_refused"),
    [("{{ ds }}", True), ("{{ data_interval_end | ds }}", True), ("{{ params.name }}", False)],
)
def test_a_path_by_airflows_dates_names_the_day_as_well(
    sandbox: Sandbox, tmp_path: Path, template: str, is_refused: bool
) -> None:
    def execute(window: Window) -> None:
        made = LivePersonConversationsOperator(
            task_id="export",
            path=f"{tmp_path}/{template}.ndjson",
            start=moment(window.start_ms),
            end=moment(window.end_ms),
        )
        made.path = f"{tmp_path}/2026-03-10.ndjson"
        made.execute({})  # type: ignore[arg-type]

    execute(DAY)
    if is_refused:
        with pytest.raises(AirflowFailException, match="does not cover that"):
            execute(PARTS[0])
    else:
        execute(PARTS[0])
    execute(DAY)


def test_metrics_of_an_hour_are_not_replaced_by_those_of_five_minutes(serve: Any, tmp_path: Path) -> None:
    serve()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def execute(start: datetime, end: datetime) -> None:
        path = f"{tmp_path}/{{start:%Y-%m-%dT%H}}.ndjson"
        LivePersonMetricsOperator(task_id="metrics", start=start, end=end, path=path).execute({})  # type: ignore[arg-type]

    hour = now - timedelta(hours=2)
    execute(hour, now - timedelta(hours=1))
    with pytest.raises(AirflowFailException, match="does not cover that"):
        execute(hour, hour + timedelta(minutes=5))
    execute(hour, now - timedelta(hours=1))


def test_an_object_in_s3_tells_its_window(sandbox: Sandbox, bucket: Any) -> None:
    path = f"s3://lake@bucket/{BY_DAY}"
    export_window(path, DAY)
    with pytest.raises(AirflowFailException, match=r"s3://lake@bucket/2026-03-10\.ndjson holds the window"):
        export_window(path, PARTS[0])
    export_window(path, DAY)
    assert bucket.Object("2026-03-10.ndjson").metadata == {
        "liveperson-window": "2026-03-10T00:00:00+00:00/2026-03-11T00:00:00+00:00"
    }
