from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client.calls import Answer
from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.client.measurements import Measurement, MetricsAnswer, Subject, read_metrics

#: Metrics of a subject; what they are called does not matter here.
A, B, C, D = {"x": 1}, {"x": 2, "y": -1}, {"x": 3.5}, {"x": 0}
ZEROS = {"totalResolvedConversations": 0, "avgTime_resolvedConversations": 0}

ACCOUNT = Subject("account")
SKILL_12, SKILL_9 = Subject("skill", "12"), Subject("skill", "9007199254740993")
AGENT_7 = Subject("agent", agent_id="7")
SKILL_12_AGENT_7 = Subject("skill_agent", "12", "7")

#: The sections of messaging conversation.
PER_SKILL = {"metricsPerSkill": {"12": {"metricsPerAgent": {"7": A}, "metricsTotals": B}}, "metricsTotals": C}
PER_AGENT = {"metricsPerAgent": {"7": D}, "metricsTotals": B}
FROM_PER_SKILL = [
    Measurement(ACCOUNT, C, "skills"),
    Measurement(SKILL_12, B, "skills"),
    Measurement(SKILL_12_AGENT_7, A, "skills"),
]
FROM_PER_AGENT = [Measurement(ACCOUNT, B, "agents"), Measurement(AGENT_7, D, "agents")]
#: The plain maps of queues and segments.
PLAIN = {"skillsMetrics": {"12": A, "9007199254740993": B}, "metricsTotal": C}
FROM_PLAIN = [Measurement(ACCOUNT, C), Measurement(SKILL_12, A, "skills"), Measurement(SKILL_9, B, "skills")]


def read(body: Any, status: int = 200) -> MetricsAnswer:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_metrics(Answer(status, encoded, {}), "msgconversation")


def unordered(measurements: list[Measurement]) -> list[Measurement]:
    return sorted(measurements, key=repr)


# The frame: every sketch of the fact sheet, section 5, and what the documentation says in two ways.

FRAMES: dict[str, tuple[Any, list[Measurement]]] = {
    "account": ({"metricsTotals": A}, [Measurement(ACCOUNT, A)]),
    "account, other spelling": ({"metricsTotal": A}, [Measurement(ACCOUNT, A)]),
    "account without data": ({"metricsTotals": ZEROS}, [Measurement(ACCOUNT, ZEROS)]),
    "skills": ({"skillsMetricsPerAgent": PER_SKILL}, FROM_PER_SKILL),
    "skills, by the name of the table": ({"skillsMetrics": PER_SKILL}, FROM_PER_SKILL),
    "skills, other spelling of every total": (
        json.loads(json.dumps({"skillsMetricsPerAgent": PER_SKILL}).replace("metricsTotals", "metricsTotal")),
        FROM_PER_SKILL,
    ),
    "skills under both names": ({"skillsMetrics": {}, "skillsMetricsPerAgent": PER_SKILL}, FROM_PER_SKILL),
    "agents": ({"agentsMetrics": PER_AGENT}, FROM_PER_AGENT),
    "skills and agents": (
        {"skillsMetricsPerAgent": PER_SKILL, "agentsMetrics": PER_AGENT},
        FROM_PER_SKILL + FROM_PER_AGENT,
    ),
    "skills and agents without data": ({"skillsMetricsPerAgent": {}, "agentsMetrics": {}}, []),
    "agents without data beside skills": ({"skillsMetricsPerAgent": PER_SKILL, "agentsMetrics": {}}, FROM_PER_SKILL),
    "only totals of skills and agents": (
        {
            "skillsMetricsPerAgent": {"metricsPerSkill": {}, "metricsTotals": ZEROS},
            "agentsMetrics": {"metricsPerAgent": {}, "metricsTotals": ZEROS},
        },
        [Measurement(ACCOUNT, ZEROS, "skills"), Measurement(ACCOUNT, ZEROS, "agents")],
    ),
    "a skill without agents": (
        {"skillsMetricsPerAgent": {"metricsPerSkill": {"12": {"metricsPerAgent": {}, "metricsTotals": A}}}},
        [Measurement(SKILL_12, A, "skills")],
    ),
    "a skill without totals": (
        {"skillsMetricsPerAgent": {"metricsPerSkill": {"12": {"metricsPerAgent": {"7": A}}}}},
        [Measurement(SKILL_12_AGENT_7, A, "skills")],
    ),
    "a skill and an agent that are empty": (
        {"skillsMetricsPerAgent": {"metricsPerSkill": {"1": {}, "12": {"metricsPerAgent": {"6": {}, "7": A}}}}},
        [Measurement(SKILL_12_AGENT_7, A, "skills")],
    ),
    "queues": (PLAIN, FROM_PLAIN),
    "queues, other spelling": ({"skillsMetrics": PLAIN["skillsMetrics"], "metricsTotals": C}, FROM_PLAIN),
    "queues without data": ({"skillsMetrics": {}, "metricsTotal": D}, [Measurement(ACCOUNT, D)]),
    "queues without breakdown": ({"metricsTotal": C}, [Measurement(ACCOUNT, C)]),
    "queues by group": (
        {"skillGroupMetrics": {"12": {"17": A, "-1": B}, "-1": {"17": C}, "3": {}}},
        [
            Measurement(Subject("skill", "12", group_id="17"), A, "skills"),
            Measurement(Subject("skill", "12", group_id="-1"), B, "skills"),
            Measurement(Subject("skill", "-1", group_id="17"), C, "skills"),
        ],
    ),
    "agent segments": (
        {"agentsMetrics": {"metricsPerAgent": {"7": A}}, "metricsTotal": C},
        [Measurement(ACCOUNT, C), Measurement(AGENT_7, A, "agents")],
    ),
    "agent segments with skills": (
        {
            "agentsMetrics": {"metricsPerAgent": {"7": A}},
            "metricsPerSkill": {"12": {"metricsPerAgent": {"7": B}}},
            "metricsTotal": C,
        },
        [Measurement(ACCOUNT, C), Measurement(SKILL_12_AGENT_7, B, "skills"), Measurement(AGENT_7, A, "agents")],
    ),
    "agents without the inner map": (
        {"agentsMetrics": {"7": A}, "metricsTotals": C},
        [Measurement(ACCOUNT, C), Measurement(AGENT_7, A, "agents")],
    ),
    "the frame apart": ({"timeframeSummary": PLAIN}, FROM_PLAIN),
    "nulls": (
        {"skillsMetricsPerAgent": None, "skillsMetrics": {"12": A, "3": None}, "agentsMetrics": None,
         "metricsTotals": None, "metricsTotal": C, "timeframeSummary": None},
        [Measurement(ACCOUNT, C), Measurement(SKILL_12, A, "skills")],
    ),
    "keys that nobody knows": (
        {"metricsTotals": A, "generatedAt": 5, "links": [1], "extra": {"12": B}, "note": None},
        [Measurement(ACCOUNT, A)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), FRAMES.values(), ids=FRAMES.keys())
def test_a_frame_is_read_in_each_of_its_shapes(body: Any, expected: list[Measurement]) -> None:
    answer = read(body)
    assert unordered(answer.frame) == unordered(expected)
    assert answer.intervals is None


@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "direct"])
@pytest.mark.parametrize(("body", "expected"), FRAMES.values(), ids=FRAMES.keys())
def test_an_interval_holds_what_a_frame_does_in_either_wrapper(
    body: Any, expected: list[Measurement], wrapped: bool
) -> None:
    if "timeframeSummary" in body:
        body = body["timeframeSummary"] or {name: each for name, each in body.items() if name != "timeframeSummary"}
    row = {"timestamp": 300_000, **({"metricsData": body} if wrapped else body)}
    answer = read({"metricsByIntervals": [row], "metricsTotals": ZEROS})
    assert answer.intervals is not None
    assert {stamp: unordered(each) for stamp, each in answer.intervals.items()} == {300_000: unordered(expected)}
    assert answer.frame == [Measurement(ACCOUNT, ZEROS)]


NAMES = [
    *(f"resolvedConversations_{closer}" for closer in ("byCCP", "byConsumer", "bySystem")),
    "totalResolvedConversations",
    *(f"totalHandlingTime_resolvedConversations{closer}" for closer in ("_byCCP", "_byConsumer", "_bySystem", "")),
    *(f"avgTime_resolvedConversations{closer}" for closer in ("_byCCP", "_byConsumer", "_bySystem", "")),
]


def documented(by_system: int, average: float) -> dict[str, Any]:
    figures = [21, 41, by_system, 103, 426, 1411, 215, 3248, 20.285715, 34.414635, average, 31.533981]
    return dict(zip(NAMES, figures, strict=True))


def test_the_documented_sample_is_read() -> None:
    """The answer to skillIds=all with agentIds=2, figure by figure as the documentation has it."""
    agent, totals = documented(11, 19.545454), documented(226, 0.95132744)
    other = {**dict.fromkeys(NAMES, 0), "resolvedConversations_bySystem": 215}
    skill = {"metricsPerAgent": {"2": agent, "6": other}, "metricsTotals": totals}
    answer = read(
        {
            "skillsMetricsPerAgent": {"metricsPerSkill": {"3": skill}, "metricsTotals": totals},
            "agentsMetrics": {"metricsPerAgent": {"2": agent}, "metricsTotals": agent},
        }
    )
    assert answer.frame == [
        Measurement(ACCOUNT, totals, "skills"),
        Measurement(Subject("skill", "3"), totals, "skills"),
        Measurement(Subject("skill_agent", "3", "2"), agent, "skills"),
        Measurement(Subject("skill_agent", "3", "6"), other, "skills"),
        Measurement(ACCOUNT, agent, "agents"),
        Measurement(Subject("agent", agent_id="2"), agent, "agents"),
    ]


# Intervals.


def test_both_wrappers_may_come_in_one_answer_with_the_frame_apart() -> None:
    answer = read(
        {
            "metricsByIntervals": [
                {"timestamp": 3, **PLAIN},
                {"timestamp": 2, "metricsData": PLAIN},
                {"timestamp": 1, "skillsMetrics": {}, "metricsTotal": {}},
            ],
            "timeframeSummary": {"skillsMetrics": {"12": B}, "metricsTotal": D},
        }
    )
    assert answer.intervals == {1: [], 2: FROM_PLAIN, 3: FROM_PLAIN}
    assert answer.frame == [Measurement(ACCOUNT, D), Measurement(SKILL_12, B, "skills")]


def test_a_frame_at_the_root_beside_intervals_is_no_interval() -> None:
    answer = read({"metricsByIntervals": [{"timestamp": 1, "metricsData": {"metricsTotals": A}}], "metricsTotals": B})
    assert answer == MetricsAnswer([Measurement(ACCOUNT, B)], {1: [Measurement(ACCOUNT, A)]})


@given(st.permutations(range(1, 7)))
def test_intervals_come_in_order_of_time(stamps: list[int]) -> None:
    answer = read({"metricsByIntervals": [{"timestamp": stamp, "metricsTotal": {"x": stamp}} for stamp in stamps]})
    assert answer.intervals is not None
    assert [(stamp, each.metrics["x"]) for stamp, (each,) in answer.intervals.items()] == [
        (stamp, stamp) for stamp in sorted(stamps)
    ]


@pytest.mark.parametrize("stamp", [1_700_000_100_000, "1700000100000", 1_700_000_100_000.0])
def test_a_stamp_may_be_a_number_or_its_text(stamp: Any) -> None:
    assert read({"metricsByIntervals": [{"timestamp": stamp, "metricsTotal": A}]}).intervals == {
        1_700_000_100_000: [Measurement(ACCOUNT, A)]
    }


@pytest.mark.parametrize("rows", [[], None])
def test_no_intervals_are_not_the_same_as_none_asked_for(rows: Any) -> None:
    assert read({"metricsByIntervals": rows, "metricsTotals": A}).intervals == {}
    assert read({"metricsTotals": A}).intervals is None


def test_an_interval_that_comes_twice_counts_once() -> None:
    row = {"timestamp": 1, "metricsTotals": A}
    again = {"timestamp": "1", "metricsData": {"metricsTotals": A}}
    assert read({"metricsByIntervals": [row, row, again]}).intervals == {1: [Measurement(ACCOUNT, A)]}


def test_an_interval_whose_data_is_null_is_empty() -> None:
    assert read({"metricsByIntervals": [{"timestamp": 1, "metricsData": None}]}).intervals == {1: []}


# Values are handed on as they came.


@given(
    st.dictionaries(st.text(min_size=1), st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(), st.none()), min_size=1)
)
def test_values_stay_as_liveperson_sent_them(metrics: dict[str, Any]) -> None:
    assert read({"metricsTotals": metrics}).frame == [Measurement(ACCOUNT, metrics)]


# Answers without data, and what is no answer.


def test_an_empty_object_is_no_data() -> None:
    assert read({}) == MetricsAnswer([])
    assert read({}).is_empty
    assert not read({"metricsTotals": {}}).is_empty


def test_no_content_is_no_answer() -> None:
    with pytest.raises(LivePersonTransportError, match="HTTP 204") as caught:
        read(b"", status=204)
    assert caught.value.retry_helps


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_what_is_no_number_in_json_is_null(constant: str) -> None:
    (found,) = read(f'{{"metricsTotals": {{"x": 1, "y": {constant}, "NaN": "NaN, {constant}"}}}}'.encode()).frame
    assert found.metrics["x"] == 1
    assert found.metrics["y"] in (None, float("inf"))
    assert found.metrics["NaN"] == f"NaN, {constant}"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\\ud83d", "\ufffd"),
        (b"\\ud83d\\ude00", "\U0001f600"),
        (b"M\xfcller", "M\ufffdller"),
        (b"\xed\xa0\xbd\xed\xb8\x80", "\ufffd" * 6),
    ],
)
def test_text_that_is_none_is_repaired(raw: bytes, text: str) -> None:
    (found,) = read(b'\xef\xbb\xbf{"metricsTotals": {"x": 1, "name": "' + raw + b'"}}').frame
    assert found == Measurement(ACCOUNT, {"x": 1, "name": text})


# Numbers get lost in no shape.


def read_known(body: Any) -> MetricsAnswer:
    return read_metrics(Answer(200, json.dumps(body).encode(), {}), "msgqueuehealth", {"x", "y"})


FLAT: dict[str, Any] = {
    "root": {"x": 1, "new": 2},
    "summary": {"timeframeSummary": {"x": 1, "new": 2}},
    "beside empty sections": {"skillsMetrics": {}, "metricsTotals": {}, "x": 1, "new": 2},
}


@pytest.mark.parametrize("body", FLAT.values(), ids=FLAT.keys())
def test_metrics_without_a_totals_member_are_the_accounts(body: Any) -> None:
    assert read_known(body).frame == [Measurement(ACCOUNT, {"x": 1, "new": 2})]
    rows = [{"timestamp": 1, **body.get("timeframeSummary", body)}, {"timestamp": 2, "metricsData": {"x": 5}}]
    assert read_known({"metricsByIntervals": rows, **body}).intervals == {
        1: [Measurement(ACCOUNT, {"x": 1, "new": 2})],
        2: [Measurement(ACCOUNT, {"x": 5})],
    }


def test_flat_metrics_stand_beside_skills() -> None:
    assert unordered(read_known({"skillsMetrics": {"12": A}, "x": 7}).frame) == unordered(
        [Measurement(SKILL_12, A, "skills"), Measurement(ACCOUNT, {"x": 7})]
    )


LOST: dict[str, Any] = {
    "an unknown section": {"queueMetrics": {"12": {"x": 1}}},
    "an unknown section beside empty ones": {"skillsMetrics": {}, "metricsTotals": {}, "queueMetrics": {"12": A}},
    "unknown names at the root": {"skillsMetrics": {}, "count": 5},
    "unknown names in a summary": {"timeframeSummary": {"count": 5}},
    "a level too deep": {"skillsMetrics": {"12": {"metrics": {"x": 1}}}},
    "a totals member too deep": {"metricsTotals": {"all": {"x": 1}}},
    "a list": {"metricsTotals": None, "rows": [{"skillId": 12, "x": 1}]},
    "an interval": {"metricsTotals": A, "metricsByIntervals": [{"timestamp": 1, "queueMetrics": {"12": A}}]},
    "a flat interval": {"metricsTotals": A, "metricsByIntervals": [{"timestamp": 1, "count": 1}]},
}


@pytest.mark.parametrize("body", LOST.values(), ids=LOST.keys())
def test_numbers_of_which_none_is_known_are_no_success(body: Any) -> None:
    with pytest.raises(LivePersonTransportError, match="numbers where none are known"):
        read_known(body)


@pytest.mark.parametrize("moment", [1_767_225_600_000, "2026-01-01"])
def test_a_moment_is_no_number_that_gets_lost(moment: Any) -> None:
    body = {"skillsMetrics": {}, "metricsTotals": {}, "generatedAt": moment}
    assert read_known({"metricsByIntervals": [{"timestamp": 1, **body}], **body}) == MetricsAnswer([], {1: []})


WHOLE = json.dumps({"skillsMetricsPerAgent": PER_SKILL, "metricsByIntervals": [{"timestamp": 1, "metricsTotals": A}]})


@given(st.integers(0, len(WHOLE) - 1))
def test_an_answer_cut_short_is_no_answer(length: int) -> None:
    with pytest.raises(LivePersonTransportError, match="msgconversation"):
        read(WHOLE[:length].encode())


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        5,
        "metricsTotals",
        [{"metricsTotals": A}],
        {"message": "all is well"},
        {"metricsTotals": [A]},
        {"metricsTotals": 5},
        {"skillsMetricsPerAgent": "none"},
        {"skillsMetrics": {"12": 5}},
        {"skillsMetricsPerAgent": {"metricsPerSkill": [A]}},
        {"agentsMetrics": {"metricsPerAgent": {"7": []}}, "metricsTotals": A, "skillsMetrics": {"12": "x"}},
        {"metricsByIntervals": 5},
        {"metricsByIntervals": {"1": {"metricsTotals": A}}},
        {"metricsByIntervals": [A, 5]},
        {"metricsByIntervals": [{"metricsTotals": A}]},
        {"metricsByIntervals": [{"timestamp": None, "metricsTotals": A}]},
        {"metricsByIntervals": [{"timestamp": "undefined", "metricsTotals": A}]},
        {"metricsByIntervals": [{"timestamp": 0, "metricsTotals": A}]},
        {"metricsByIntervals": [{"timestamp": 1, "metricsData": [A]}]},
        {"metricsByIntervals": [{"timestamp": 1, "metricsTotals": A}, {"timestamp": 1, "metricsTotals": B}]},
        {"timeframeSummary": [PLAIN]},
        b"",
        b"<html>busy</html>",
        b"\xff\xfe",
        b'{"metricsTotals": {"x": 1}} trailing',
    ],
    ids=str,
)
def test_what_is_not_livepersons_json_is_no_answer(body: Any) -> None:
    with pytest.raises(LivePersonTransportError, match="cut short or not LivePerson's JSON") as caught:
        read(body)
    assert caught.value.retry_helps
    assert caught.value.endpoint == "msgconversation"
