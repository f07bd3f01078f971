from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pendulum
import pytest

from airflow_provider_lp.client.errors import LivePersonServerError
from airflow_provider_lp.compat import AirflowFailException
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.planning import LivePersonPlanWindowsOperator
from airflow_provider_lp.sandbox import Account, Conversation, Fault, Sandbox
from airflow_provider_lp.windows import Window
from tests.exported import calls, ids_in
from tests.samples import DAY, HOUR, MARK, NOW, at, crowd

START, END = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 14, tzinfo=UTC)
PERIOD = {"start": START, "end": END}

pytestmark = pytest.mark.usefixtures("fast")


def operator(**arguments: Any) -> LivePersonPlanWindowsOperator:
    return LivePersonPlanWindowsOperator(task_id="plan", **arguments)


def execute(context: Any = None, **arguments: Any) -> list[dict[str, str]]:
    return operator(**(PERIOD | arguments)).execute(context or {})


def windows(plan: list[dict[str, str]]) -> list[Window]:
    return [Window.between(datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"])) for each in plan]


def found(sandbox: Sandbox, window: Window, time_field: str = "start") -> int:
    return len(sandbox.account.truth(time_field, window.start_ms, window.end_ms))


def check(plan: list[dict[str, str]], start: datetime, end: datetime) -> None:
    made = windows(plan)
    assert (made[0].start, made[-1].end) == (start, end)
    assert all(window.end_ms == following.start_ms for window, following in pairwise(made))
    assert all(window.end_ms % MARK == 0 for window in made[:-1])


# What it does.


def test_a_plan_is_a_list_of_windows_as_text(serve: Any) -> None:
    sandbox = serve(*crowd(3))
    plan = execute()
    assert plan[0] == {"start": "2026-03-09T00:00:00+00:00", "end": "2026-03-10T00:00:00+00:00"}
    assert [window.length for window in windows(plan)] == [timedelta(days=1)] * 5
    check(plan, START, END)
    assert json.loads(json.dumps(plan)) == plan
    assert {call.query["limit"] for call in calls(sandbox)} == {"1"}
    assert {tuple(call.body["contentToRetrieve"]) for call in calls(sandbox)} == {("summary",)}


@pytest.mark.parametrize("time_field", ["start", "end", "full_dialog_end"])
def test_windows_hold_about_the_target(serve: Any, time_field: str) -> None:
    sandbox = serve(account=Account(per_day=240, days=12, now=NOW))
    plan = execute(time_field=time_field, target_conversations=40)
    check(plan, START, END)
    counts = [found(sandbox, window, time_field) for window in windows(plan)]
    assert max(counts) <= 80
    assert min(counts) > 0
    assert sum(counts) / len(counts) > 25
    assert len(calls(sandbox)) <= 2 * len(plan) + 10


def test_mapped_over_a_plan_exports_miss_nothing_and_double_nothing(serve: Any, tmp_path: Path) -> None:
    sandbox = serve(account=Account(per_day=120, days=12, now=NOW))
    template = f"file://{tmp_path}/date={{start:%Y-%m-%d}}/{{start:%H%M}}-{{end:%H%M}}.ndjson.gz"
    plan = execute(target_conversations=30, path=template)
    assert plan[0]["path"].startswith(f"file://{tmp_path}/date=2026-03-09/0000-")
    exported = []
    for given in plan:
        summary = LivePersonConversationsOperator(task_id="export", **given).execute({})
        assert summary["path"] == given["path"]
        assert (summary["window"]["start"], summary["window"]["end"]) == (given["start"], given["end"])
        exported += ids_in(Path(summary["path"].removeprefix("file://")))
    assert exported == sandbox.account.truth("start", at(9), at(14))


def test_the_period_may_be_that_of_the_run(serve: Any) -> None:
    serve(*crowd(3))
    run = {"data_interval_start": pendulum.datetime(2026, 3, 10), "data_interval_end": pendulum.datetime(2026, 3, 12)}
    check(operator().execute(run), datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC))
    plan = operator(window="P2D").execute({"logical_date": pendulum.datetime(2026, 3, 12)})
    assert len(plan) == 2


def test_the_ends_of_a_period_may_lie_between_marks(serve: Any) -> None:
    serve(*crowd(3))
    start, end = "2026-03-10T10:03:00.001+00:00", "2026-03-12T03:30:05+00:00"
    plan = execute(start=start, end=end)
    check(plan, datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert [each["start"] for each in plan[1:]] == ["2026-03-11T00:00:00+00:00", "2026-03-12T00:00:00+00:00"]


def test_a_day_that_has_not_ended_may_be_planned_to_its_end(serve: Any) -> None:
    serve(*crowd(3, at(20)))
    plan = execute(start=datetime(2026, 3, 19, tzinfo=UTC), end=datetime(2026, 3, 21, tzinfo=UTC))
    assert len(plan) == 2


def test_filters_and_max_age_reach_the_searches(serve: Any) -> None:
    sandbox = serve(*crowd(3))
    execute(time_field="end", filters={"status": ["CLOSE"]}, max_age=timedelta(days=1))
    assert {tuple(call.body["status"]) for call in calls(sandbox)} == {("CLOSE",)}
    assert {call.body["end"]["from"] - call.body["start"]["from"] for call in calls(sandbox)} == {DAY}


def test_templates_may_fill_what_an_author_would_template(serve: Any) -> None:
    given = {
        "start": "{{ a }}", "end": "{{ b }}", "time_field": "{{ field }}", "filters": "{{ filters }}",
        "target_conversations": "{{ number }}", "longest": "{{ longest }}", "max_age": "{{ longest }}",
        "path": "/lp/{{ a[:4] }}/{start:%Y%m%dT%H%M}.ndjson", "liveperson_conn_id": "liveperson_{{ name }}",
    }  # fmt: skip
    assert set(given) <= set(LivePersonPlanWindowsOperator.template_fields)
    made = operator(**given)
    values = {
        "a": "2026-03-10T00:00:00Z", "b": "2026-03-11T00:00:00Z", "field": "end", "filters": {"status": ["CLOSE"]},
        "number": 5, "longest": "PT12H", "name": "default",
    }  # fmt: skip
    made.render_template_fields(values)
    sandbox = serve(*crowd(20, apart_ms=HOUR // 2))
    plan = made.execute({})
    assert plan[0]["path"] == "/lp/2026/20260310T0000.ndjson"
    assert all(window.length <= timedelta(hours=12) for window in windows(plan))
    assert max(found(sandbox, window, "end") for window in windows(plan)) <= 10


def test_the_log_says_what_was_planned(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sandbox = serve(*crowd(300))
    execute()
    assert (
        "Planned 5 windows of about 0 to 300 conversations, about 300 in all, by start within 2026-03-09" in caplog.text
    )
    assert f"({len(calls(sandbox))} requests)" in caplog.text


# What LivePerson may answer.


@pytest.mark.parametrize("kind", ["no_content", "count_zero"])
def test_a_lone_empty_answer_is_not_believed(serve: Any, kind: str) -> None:
    sandbox = serve(*crowd(400, at(9) + 1, apart_ms=HOUR // 4))
    sandbox.add_fault(Fault(kind))
    plan = execute(target_conversations=20)
    assert max(found(sandbox, window) for window in windows(plan)) <= 40


def test_a_count_that_flickers_does_no_harm(serve: Any) -> None:
    sandbox = serve(*crowd(480, at(9) + 1, apart_ms=HOUR // 4))
    sandbox.add_fault(Fault("count_off", times=None, every=2, rows=-1))
    plan = execute(target_conversations=20)
    check(plan, START, END)
    assert max(found(sandbox, window) for window in windows(plan)) <= 40
    assert len(calls(sandbox)) <= 2 * len(plan) + 10


def test_a_count_that_stops_somewhere_does_no_harm(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_lp.export.planning.CAPPED_COUNT", 30)
    sandbox = serve(*crowd(480, at(9) + 1, apart_ms=HOUR // 4))
    sandbox.add_fault(Fault("count_capped", times=None, rows=30))
    plan = execute(target_conversations=50)
    assert max(found(sandbox, window) for window in windows(plan)) <= 100
    assert len(calls(sandbox)) <= 2 * len(plan) + 10


def test_throttling_and_outages_are_waited_out(serve: Any) -> None:
    sandbox = serve(*crowd(100))
    # No more than three of a server's failures: throttled to one at a time, all of them may meet the same request.
    for kind, times in {"throttle": 2, "error_503": 1, "cut_body": 2, "partial_result": 2}.items():
        sandbox.add_fault(Fault(kind, times=times))
    assert len(execute()) == 5


def test_an_outage_that_lasts_is_left_to_airflows_retries(serve: Any) -> None:
    serve(*crowd(100)).add_fault(Fault("error_503", times=None))
    with pytest.raises(LivePersonServerError):
        execute()


# Conversations that ended long after they started.


def old(number: int, closed_ms: int, age_days: int) -> list[Conversation]:
    """Conversations that were closed together, some minutes apart, long after they started."""
    return [
        Conversation(f"old{each:04}", closed_ms - age_days * DAY + each, end_ms=closed_ms + each * MARK + 1)
        for each in range(number)
    ]


def test_few_old_conversations_cost_a_few_requests_more(serve: Any) -> None:
    sandbox = serve(*crowd(100, apart_ms=HOUR // 10), *old(5, at(10), 200))
    plan = execute(time_field="end", max_age=timedelta(days=390), target_conversations=50)
    assert len(calls(sandbox)) <= 2 * len(plan) + 10
    assert max(found(sandbox, window, "end") for window in windows(plan)) <= 100


def test_many_old_conversations_are_counted_too(serve: Any) -> None:
    sandbox = serve(*crowd(10), *old(140, at(10), 200))
    plan = execute(time_field="end", max_age=timedelta(days=390), target_conversations=20)
    check(plan, START, END)
    assert max(found(sandbox, window, "end") for window in windows(plan)) <= 40


# Paths.


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/lp/x.ndjson", "is the same for all windows"),
        ("/lp/{start:%Y-%m-%d}.ndjson", r"names the same object for two windows, 2026-03-10T.*{start:%H%M}"),
        ("/lp/{start:%Q}.ndjson", r"{start:%Q} cannot be filled in"),
        ("/lp/{day}.ndjson", r"{day} cannot be filled in"),
        ("/lp/{start:%H%M}/", "ends in a slash"),
        ("/lp/{{a {start:%Y%m%d}.ndjson", "path='/lp/{a 20260309.ndjson'"),
        ("lp/{start:%Y%m%d}.ndjson", "is relative"),
        ("", "path=''"),
    ],
)
def test_a_path_that_cannot_be_each_windows_own_is_refused(serve: Any, path: str, words: str) -> None:
    sandbox = serve(*crowd(40, at(10) + 1, apart_ms=HOUR // 4))
    with pytest.raises(AirflowFailException, match=words):
        execute(path=path, target_conversations=10)
    assert not calls(sandbox) or "two windows" in words


def test_a_path_may_be_a_path_object(serve: Any) -> None:
    serve()
    assert execute(path=Path("/lp/{start:%m%d}.ndjson"))[0]["path"] == "/lp/0309.ndjson"


# What fails for good, before any request.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"time_field": "latest_update"}, r"time_field='latest_update' cannot be planned.*no upper bound"),
        ({"time_field": "created"}, "time_field="),
        ({"target_conversations": 0}, "target_conversations=0"),
        ({"target_conversations": "None"}, "target_conversations='None'"),
        ({"longest": timedelta(minutes=5)}, "longest='0:05:00'"),
        ({"longest": "a day"}, "longest='a day'"),
        ({"max_concurrency": 0}, "max_concurrency=0"),
        ({"max_age": timedelta(days=400)}, "max_age="),
        ({"filters": {"skills": [1]}}, "skills"),
        ({"start": datetime(2024, 3, 1, tzinfo=UTC)}, r"begins before 2025-02-1\d.*13 months"),
        ({"start": "2026-03-09"}, "has no time zone"),
        (
            {"end": datetime(2026, 3, 22, tzinfo=UTC)},
            r"into the future.*2026-03-2[12].*earlier end",
        ),
        ({"end": datetime(2026, 3, 20, 14, tzinfo=UTC), "longest": timedelta(minutes=40)}, "into the future"),
        ({"start": END, "end": START}, "not after"),
    ],
)
def test_a_wrong_argument_fails_without_retries_and_without_a_request(serve: Any, arguments: Any, words: str) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=words):
        execute(**arguments)
    assert not sandbox.requests


def test_more_windows_than_airflow_maps_are_refused_in_words(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve(*crowd(3))
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "4")
    with pytest.raises(AirflowFailException, match=r"5 windows.*no more than 4 \(max_map_length.*longest='1 day"):
        execute()
    assert not sandbox.requests
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "5")
    assert len(execute()) == 5


def test_a_period_that_liveperson_will_soon_forget_is_warned_of(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    serve(*crowd(3))
    execute(start=NOW - timedelta(days=396, hours=20), end=NOW - timedelta(days=395))
    assert "export its first windows soon" in caplog.text
    caplog.clear()
    execute(start=NOW - timedelta(days=395), end=NOW - timedelta(days=394))
    assert "soon" not in caplog.text


def test_requests_run_side_by_side(serve: Any) -> None:
    sandbox = serve(*crowd(3))
    sandbox.latency_s = 0.2
    execute(max_concurrency=5)
    moments = [call.at for call in calls(sandbox)][:5]
    assert max(moments) - min(moments) < 0.2
