"""The filters of a search body: which names and values are accepted, and which conversations they let pass.

Really matched: ``start``, ``end``, ``fullDialogEndTime``, ``latestUpdateTime``, ``status``, ``skillIds``,
``latestSkillIds``, ``agentIds`` with ``userPermissions``, ``latestAgentIds``, ``agentGroupIds``, ``keyword``,
``summary``, ``duration``, ``mcs``, ``alertedMcsValues``, ``csat``, ``nps``, ``fcr``, ``source``, ``device``,
``messageContentTypes``, ``latestConversationQueueState``, ``responseTime`` and ``sdeSearch``. The others are
validated and let everything pass. Of ``source`` LivePerson does not publish all codes: any upper-case word will do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.http import values
from airflow_provider_lp.sandbox.http.exchange import Refused
from airflow_provider_lp.sandbox.interactions import matching
from airflow_provider_lp.sandbox.interactions.ranges import TimeRange, epoch, floor_to_mark, time_range

Predicate = Callable[[Conversation], bool]
Wanted = TypeVar("Wanted")
_Filter = Callable[[str, Any], Predicate]
#: LivePerson's own console sends ``OVERDUE``, which its documentation does not have; nothing is in that state here.
STATES = ("OPEN", "CLOSE", "OVERDUE")
END_FIELDS = ("end", "conversation_end", "full_dialog_end")

_SDE_KINDS = (
    "personalInfo",
    "customerInfo",
    "userUpdate",
    "marketingCampaignInfo",
    "lead",
    "purchase",
    "viewedProduct",
    "cartStatus",
    "serviceActivity",
    "visitorError",
    "searchContent",
)
_PERMISSIONS = ("ASSIGNED_AGENT", "AGENT", "AGENT_MANGER", "READER")
_CONTENT_TYPES = (
    "TEXT_PLAIN",
    "TEXT_HTML",
    "LINK",
    "HOSTED_FILE",
    "IMG",
    "SECURE_FORM_INVITATION",
    "SECURE_FORM_SUBMIT",
    "RICH_CONTENT",
)
_AGENT_SURVEY: dict[str, Callable[[str, Any], object]] = {
    "pendingAgentSurvey": values.booleans,
    "questionId": values.texts,
    "questionName": values.texts,
    "questionKeywords": values.texts,
    "answerKeywords": values.texts,
    "surveyId": values.numbers,
}


@dataclass(frozen=True)
class Search:
    """A search body, understood: the range of starts, and what else a conversation must satisfy."""

    start: TimeRange
    predicates: tuple[Predicate, ...]

    def passes(self, conversation: Conversation) -> bool:
        """Whether the conversation satisfies everything besides the range of starts."""
        return all(predicate(conversation) for predicate in self.predicates)


def parse_search(body: dict[str, Any], now_ms: int, end_field: str) -> Search:
    """Understand a search body (without ``contentToRetrieve``) or refuse it.

    :param end_field: Which moment the filter ``end`` tests, one of ``END_FIELDS``; LivePerson does not say.
    """
    if "start" not in body:
        raise Refused(400, "start is missing")
    predicates: list[Predicate] = []
    for name, value in body.items():
        if name in _DATED:
            predicates.append(_dated(name, value, now_ms, end_field))
        elif name in _MATCHED:
            predicates.append(_MATCHED[name](name, value))
        elif name in _VALIDATED:
            _VALIDATED[name](name, value)
        elif name not in ("start", "agentIds", "userPermissions"):
            raise Refused(400, f"unknown filter {name!r}")
    if "agentIds" in body or "userPermissions" in body:
        predicates.append(_participants(body))
    return Search(time_range("start", body["start"], now_ms), tuple(predicates))


_DATED = ("end", "fullDialogEndTime", "latestUpdateTime")


def _dated(name: str, value: Any, now_ms: int, end_field: str) -> Predicate:
    if name == "latestUpdateTime":
        values.members(name, value, required=("from",))
        updated_ms = floor_to_mark(epoch(f"{name}.from", value["from"]))
        return lambda conversation: conversation.latest_update_ms >= updated_ms
    span = time_range(name, value, now_ms)
    if name == "fullDialogEndTime" or end_field == "full_dialog_end":
        return lambda conversation: span.holds(conversation.full_dialog_end_ms)
    if end_field == "conversation_end":
        return lambda conversation: span.holds(conversation.conversation_end_ms)
    return lambda conversation: span.holds(conversation.end_ms)


def _participants(body: dict[str, Any]) -> Predicate:
    ids = values.ids("agentIds", body["agentIds"]) if "agentIds" in body else None
    permissions: tuple[str, ...] = ("ASSIGNED_AGENT",)
    if "userPermissions" in body:
        permissions = values.choices("userPermissions", body["userPermissions"], _PERMISSIONS)
    return lambda conversation: matching.has_participant(conversation, ids, permissions)


def _passes(read: Callable[[str, Any], Wanted], test: Callable[[Conversation, Wanted], bool]) -> _Filter:
    """A filter whose value is read once and tested on each conversation."""

    def parse(name: str, value: Any) -> Predicate:
        wanted = read(name, value)
        return lambda conversation: test(conversation, wanted)

    return parse


def _one_of(*allowed: str) -> Callable[[str, Any], tuple[str, ...]]:
    return lambda name, value: values.choices(name, value, allowed)


def _between(lowest: int, highest: int | None) -> Callable[[str, Any], values.Range]:
    return lambda name, value: values.number_range(name, value, lowest, highest)


def _fcr(name: str, value: Any) -> set[str]:
    return {"yes" if each in ("yes", "1") else "no" for each in values.choices(name, value, ("yes", "no", "1", "0"))}


def _words_by_kind(name: str, value: Any) -> dict[str, str]:
    values.members(name, value, optional=_SDE_KINDS)
    return {kind: values.text(f"{name}.{kind}", word) for kind, word in value.items()}


_MATCHED: dict[str, _Filter] = {
    "status": _passes(_one_of(*STATES), lambda each, wanted: each.status in wanted),
    "skillIds": _passes(values.ids, lambda each, wanted: not wanted.isdisjoint(map(str, each.skill_ids))),
    "latestSkillIds": _passes(values.ids, lambda each, wanted: str(each.skill_ids[-1]) in wanted),
    "latestAgentIds": _passes(values.ids, lambda each, wanted: not wanted.isdisjoint(each.agent_ids[-1:])),
    "agentGroupIds": _passes(values.ids, lambda each, wanted: str(each.agent_group_id) in wanted),
    "keyword": _passes(values.text, matching.speaks_of),
    "summary": _passes(values.text, matching.is_noted),
    "duration": _passes(_between(0, None), lambda each, wanted: wanted.holds(matching.duration_s(each))),
    "mcs": _passes(_between(0, 100), lambda each, wanted: wanted.holds(each.mcs)),
    "alertedMcsValues": _passes(_one_of("-1", "0", "1"), lambda each, wanted: str(each.alerted_mcs) in wanted),
    "csat": _passes(_between(1, 5), lambda each, wanted: wanted.holds(each.csat)),
    "nps": _passes(_between(0, 10), lambda each, wanted: wanted.holds(each.nps)),
    "fcr": _passes(_fcr, lambda each, wanted: each.fcr in wanted),
    "source": _passes(values.codes, lambda each, wanted: each.source in wanted),
    "device": _passes(_one_of("DESKTOP", "TABLET", "MOBILE", "NA"), lambda each, wanted: each.device in wanted),
    "messageContentTypes": _passes(_one_of(*_CONTENT_TYPES), matching.uses_content),
    "latestConversationQueueState": _passes(
        lambda name, value: values.choice(name, value, ("IN_QUEUE", "ACTIVE")),
        lambda each, wanted: each.queue_state == wanted,
    ),
    "responseTime": _passes(_between(0, None), lambda each, wanted: wanted.holds(each.message_interval_ms)),
    "sdeSearch": _passes(_words_by_kind, matching.has_attribute),
}


def _question_format(name: str, value: Any) -> None:
    values.members(name, value, required=("type", "format"))
    values.choice(f"{name}.type", value["type"], ("custom", "csat", "nps", "fcr"))
    values.choice(f"{name}.format", value["format"], ("single", "open"))


def _agent_survey(name: str, value: Any) -> None:
    values.members(name, value, optional=tuple(_AGENT_SURVEY))
    for member, words in value.items():
        _AGENT_SURVEY[member](f"{name}.{member}", words)


_VALIDATED: dict[str, Callable[[str, Any], object]] = {
    "questionBrick": values.text,
    "invalidFreeTextAnswer": lambda name, value: values.choice(name, value, ("INVALID_FREE_TEXT_ANSWER",)),
    "surveyBotConversations": lambda name, value: values.choice(name, value, ("SURVEY_BOT",)),
    "surveyIds": values.ids,
    "questionTypeAndFormatToRetrieve": _question_format,
    "answerText": values.texts,
    "selectedIntentOnly": values.boolean,
    "conversationsWithStepUpOnly": values.boolean,
    "agentSurveySearch": _agent_survey,
    "annotationStates": lambda name, value: values.choices(name, value, ("OPEN", "SUBMITTED", "VETTED")),
    "cappingConfiguration": values.text,
}
