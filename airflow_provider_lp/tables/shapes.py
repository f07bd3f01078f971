"""Rows whose object in a record has another shape than the table: events, intents, answers, changes of skill."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from airflow_provider_lp.tables.rows import Rows, listed

Items = Iterable[tuple[int, dict[str, Any]]]

#: What stands for objects that are missing, where their absence must be seen.
NONE: list[tuple[int | None, dict[str, Any]]] = [(None, {})]
#: The documented kinds of engagement attributes.
SDE_KINDS = (
    "customerInfo", "personalInfo", "cartStatus", "purchase", "viewedProduct", "marketingCampaignInfo",
    "searchContent", "visitorError", "lead", "serviceActivity",
)  # fmt: skip
EVENT_MEMBERS = frozenset({"sdeType", "serverTimeStamp", "isAuthenticated"})
STAMPS = ("serverTimeStamp", "originalTimeStamp")
INTENT_MEMBERS = frozenset({"messageId", "selectedClassification", "allClassifications"})
QUESTION_MEMBERS = ("questionId", "questionText", "questionDefinition", "questionCategory")
FILE_MEMBERS = frozenset({"relativePath", "fileType", "caption", "preview"})
LINK_MEMBERS = frozenset({"externalFileLink", "fileType", "caption"})
FORM_MEMBERS = frozenset({"formId", "formName", "submissionId", "invitationId"})
DATA_MEMBERS = frozenset({"msg", "file", "link", "secureForm", "richContent", "quickReplies"})


def add_events(rows: Rows, record: int, label: str, items: Items, made: dict[str, Any]) -> int:
    """Add a row for each engagement attribute event; gives how many were exact repetitions of another."""
    seen: set[bytes] = set()
    repeated = 0
    events = list(items)
    for position, event in events:
        content = msgspec.json.encode(event, order="sorted") if len(events) > 1 else b""
        if content in seen:
            repeated += 1
            continue
        seen.add(content)
        _add_event(rows, record, label, position, event, made)
    return repeated


def _add_event(rows: Rows, record: int, label: str, position: int, event: dict[str, Any], made: dict[str, Any]) -> None:
    kind = next((name for name in SDE_KINDS if name in event), None) or next(
        (name for name, value in event.items() if isinstance(value, dict) and name not in EVENT_MEMBERS), None
    )
    held = event.get(kind) if kind else None
    payload: Any = held
    stamps: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    if kind and isinstance(held, dict):
        stamps = {name: held[name] for name in STAMPS if name in held}
        payload = {name: value for name, value in held.items() if name not in STAMPS}
        if kind in payload:
            rest = payload
            payload = rest.pop(kind)
    server = event.get("serverTimeStamp")
    item = {
        "sdeType": event.get("sdeType"),
        "serverTimeStamp": stamps.get("serverTimeStamp") if server is None else server,
        "originalTimeStamp": stamps.get("originalTimeStamp"),
        "payload": payload,
    }
    row = rows.add(record, label, item, position=position, kind=kind, **made)
    if server is not None and str(stamps.get("serverTimeStamp", server)) != str(server):
        rest["serverTimeStamp"] = stamps["serverTimeStamp"]
    known = (made["is_authenticated"], str(made["is_authenticated"]).lower())
    for name, value in rest.items():
        if name != "isAuthenticated" or value not in known:
            rows.leave(row, (str(kind), name), value)
    for name, value in event.items():
        if name not in (kind, "sdeType", "serverTimeStamp") and (name != "isAuthenticated" or value not in known):
            rows.leave(row, (name,), value)


def add_intents(rows: Rows, record: int, label: str, items: Items, made: dict[str, Any]) -> int:
    """Add a row for each classification of a message."""
    for position, intent in items:
        selected = intent.get("selectedClassification")
        classified, others = listed(intent.get("allClassifications"), "allClassifications")
        if selected == {}:
            selected = None
        is_among = any(item == selected for _, item in classified)
        if isinstance(selected, dict) and not is_among:
            classified = [*classified, (classified[-1][0] + 1 if classified else 0, selected)]
        first = len(rows.objects)
        is_found = False
        for place, item in classified or NONE:
            is_selected = item == selected and not is_found
            is_found = is_found or is_selected
            row = rows.add(
                record,
                label,
                {**item, "messageId": intent.get("messageId")},
                position=position,
                classification_position=place,
                is_selected=None if place is None else is_selected,
                **made,
            )
            _first_version(rows, row)
            if "messageId" in item:
                rows.leave(row, ("allClassifications", "messageId"), item["messageId"])
        if others:
            rows.leave(first, ("allClassifications",), others)
        if selected is not None and not isinstance(selected, dict):
            rows.leave(first, ("selectedClassification",), selected)
        for name in [name for name in intent if name not in INTENT_MEMBERS]:
            rows.leave(first, ("intents", name), intent[name], member=f"{label}.{name}")
    return 0


def _first_version(rows: Rows, row: int) -> None:
    """Leave the first version of a model in the row; others, and what is odd, go beside it."""
    item = rows.objects[row]
    versions = item.get("versions")
    if not isinstance(versions, list):
        return
    first = versions[0] if versions and isinstance(versions[0], dict) else None
    is_plain = first is not None and all(
        name in ("modelName", "modelVersion") and isinstance(value, str | None) for name, value in first.items()
    )
    item["versions"] = first if is_plain else None
    rest = versions[1:] if is_plain else versions
    if rest:
        rows.leave(row, ("versions",), rest, member="" if is_plain else None)


def add_changes(rows: Rows, record: int, label: str, items: Items, made: dict[str, Any]) -> int:
    """Add a row for each change of skill: its moment, and all else as it is."""
    for position, change in items:
        item: dict[str, Any] = {name: change[name] for name in ("time", "timeL") if name in change}
        item["payload"] = {name: value for name, value in change.items() if name not in item} or None
        rows.add(record, label, item, position=position, **made)
    return 0


def named_data(data: dict[str, Any]) -> dict[str, Any]:
    """A message's data with links and forms under the names that the schema has; LivePerson documents none for them."""
    named = dict(data)
    for name in [name for name in data if name not in DATA_MEMBERS]:
        known = _known_name(data[name])
        if known and known not in named:
            named[known] = named.pop(name)
    return named


def _known_name(value: Any) -> str | None:
    if not isinstance(value, dict) or not value:
        return None
    if "externalFileLink" in value and value.keys() <= LINK_MEMBERS:
        return "link"
    if value.keys() <= FORM_MEMBERS:
        return "secureForm"
    return "file" if "relativePath" in value and value.keys() <= FILE_MEMBERS else None


def survey_answers(surveys: Rows) -> Rows:
    """The answers in surveys."""
    answers = Rows()
    for number, survey in enumerate(surveys.objects):
        items, others = listed(survey.get("surveyData"), "surveyData")
        if others is not None:
            surveys.leave(number, ("surveyData",), others)
        label = f"{surveys.labels[number]}.surveyData"
        for position, item in items:
            row = answers.add(
                surveys.records[number], label, {**item, "surveyId": survey.get("surveyId")},
                survey_position=surveys.made["position"][number], position=position,
            )  # fmt: skip
            if "surveyId" in item and item["surveyId"] != survey.get("surveyId"):
                answers.leave(row, ("surveyId",), item["surveyId"])
    return answers


def agent_survey_answers(surveys: Rows) -> Rows:
    """The answers in agents' surveys, and the questions that have none."""
    answers = Rows()
    for number, survey in enumerate(surveys.objects):
        questions, others = listed(survey.get("submittedAnswers"), "submittedAnswers")
        if others is not None:
            surveys.leave(number, ("submittedAnswers",), others)
        label = f"{surveys.labels[number]}.submittedAnswers"
        for question_position, question in questions:
            items, odd = listed(question.get("answers"), "answers")
            first = len(answers.objects)
            for position, item in items or NONE:
                row = answers.add(
                    surveys.records[number],
                    f"{label}.answers",
                    {**item, **{name: question.get(name) for name in QUESTION_MEMBERS}},
                    is_latest=surveys.made["is_latest"][number],
                    survey_position=surveys.made["position"][number],
                    question_position=question_position,
                    position=position,
                )
                for name in [name for name in item if name in QUESTION_MEMBERS]:
                    answers.leave(row, ("answers", name), item[name], member=f"{label}.answers.{name}")
            if odd is not None:
                answers.leave(first, ("submittedAnswers", "answers"), odd, member=f"{label}.answers")
            for name in [name for name in question if name not in ("answers", *QUESTION_MEMBERS)]:
                answers.leave(first, ("submittedAnswers", name), question[name], member=f"{label}.{name}")
    return answers


#: How the objects of a container become rows, where that takes more than to take each for one.
SHAPES: dict[str, Callable[[Rows, int, str, Items, dict[str, Any]], int]] = {
    "sdes": add_events,
    "intents": add_intents,
    "skill_changes": add_changes,
}
