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
from typing import Any

from airflow_provider_lp.sandbox import matching, values
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.exchange import Refused
from airflow_provider_lp.sandbox.ranges import TimeRange, epoch, floor_to_mark, members, time_range

Predicate = Callable[[Conversation], bool]
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
_DEVICES = ("DESKTOP", "TABLET", "MOBILE", "NA")
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
            predicates.append(_MATCHED[name](value))
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
        members(name, value, required=("from",))
        updated_ms = floor_to_mark(epoch(f"{name}.from", value["from"]))
        return lambda conversation: conversation.latest_update_ms >= updated_ms
    span = time_range(name, value, now_ms)
    if name == "fullDialogEndTime" or end_field == "full_dialog_end":
        return lambda conversation: span.holds(conversation.full_dialog_end_ms)
    if end_field == "conversation_end":
        return lambda conversation: span.holds(conversation.conversation_end_ms)
    return lambda conversation: span.holds(conversation.end_ms)


def _participants(body: dict[str, Any]) -> Predicate:
    ids = frozenset(values.ids("agentIds", body["agentIds"])) if "agentIds" in body else None
    permissions: tuple[str, ...] = ("ASSIGNED_AGENT",)
    if "userPermissions" in body:
        permissions = values.choices("userPermissions", body["userPermissions"], _PERMISSIONS)
    return lambda conversation: matching.has_participant(conversation, ids, permissions)


def _status(value: Any) -> Predicate:
    wanted = values.choices("status", value, ("OPEN", "CLOSE"))
    return lambda conversation: conversation.status in wanted


def _skills(value: Any) -> Predicate:
    wanted = frozenset(values.ids("skillIds", value))
    return lambda conversation: any(str(skill_id) in wanted for skill_id in conversation.skill_ids)


def _latest_skill(value: Any) -> Predicate:
    wanted = frozenset(values.ids("latestSkillIds", value))
    return lambda conversation: str(conversation.skill_ids[-1]) in wanted


def _latest_agent(value: Any) -> Predicate:
    wanted = frozenset(values.ids("latestAgentIds", value))
    return lambda conversation: bool(wanted.intersection(conversation.agent_ids[-1:]))


def _agent_groups(value: Any) -> Predicate:
    wanted = frozenset(values.ids("agentGroupIds", value))
    return lambda conversation: str(conversation.agent_group_id) in wanted


def _keyword(value: Any) -> Predicate:
    phrase = values.text("keyword", value)
    return lambda conversation: matching.speaks_of(conversation, phrase)


def _summary(value: Any) -> Predicate:
    phrase = values.text("summary", value)
    return lambda conversation: matching.is_noted(conversation, phrase)


def _duration(value: Any) -> Predicate:
    low, high = values.number_range("duration", value, 0, None)
    return lambda conversation: low <= matching.duration_s(conversation) <= high


def _mcs(value: Any) -> Predicate:
    low, high = values.number_range("mcs", value, 0, 100)
    return lambda conversation: low <= conversation.mcs <= high


def _alerted_mcs(value: Any) -> Predicate:
    wanted = values.choices("alertedMcsValues", value, ("-1", "0", "1"))
    return lambda conversation: str(conversation.alerted_mcs) in wanted


def _csat(value: Any) -> Predicate:
    low, high = values.number_range("csat", value, 1, 5)
    return lambda conversation: conversation.csat is not None and low <= conversation.csat <= high


def _nps(value: Any) -> Predicate:
    low, high = values.number_range("nps", value, 0, 10)
    return lambda conversation: conversation.nps is not None and low <= conversation.nps <= high


def _fcr(value: Any) -> Predicate:
    wanted = values.choices("fcr", value, ("yes", "no", "1", "0"))
    words = {"yes" if each in ("yes", "1") else "no" for each in wanted}
    return lambda conversation: conversation.fcr in words


def _source(value: Any) -> Predicate:
    wanted = values.codes("source", value)
    return lambda conversation: conversation.source in wanted


def _device(value: Any) -> Predicate:
    wanted = values.choices("device", value, _DEVICES)
    return lambda conversation: conversation.device in wanted


def _content_types(value: Any) -> Predicate:
    wanted = values.choices("messageContentTypes", value, _CONTENT_TYPES)
    return lambda conversation: matching.uses_content(conversation, wanted)


def _queue_state(value: Any) -> Predicate:
    wanted = values.choice("latestConversationQueueState", value, ("IN_QUEUE", "ACTIVE"))
    return lambda conversation: conversation.queue_state == wanted


def _response_time(value: Any) -> Predicate:
    low, high = values.number_range("responseTime", value, 0, None)
    return lambda conversation: low <= conversation.message_interval_ms <= high


def _sde_search(value: Any) -> Predicate:
    members("sdeSearch", value, optional=_SDE_KINDS)
    wanted = {kind: values.text(f"sdeSearch.{kind}", word) for kind, word in value.items()}
    return lambda conversation: matching.has_attribute(conversation, wanted)


_MATCHED: dict[str, Callable[[Any], Predicate]] = {
    "status": _status,
    "skillIds": _skills,
    "latestSkillIds": _latest_skill,
    "latestAgentIds": _latest_agent,
    "agentGroupIds": _agent_groups,
    "keyword": _keyword,
    "summary": _summary,
    "duration": _duration,
    "mcs": _mcs,
    "alertedMcsValues": _alerted_mcs,
    "csat": _csat,
    "nps": _nps,
    "fcr": _fcr,
    "source": _source,
    "device": _device,
    "messageContentTypes": _content_types,
    "latestConversationQueueState": _queue_state,
    "responseTime": _response_time,
    "sdeSearch": _sde_search,
}


def _question_format(name: str, value: Any) -> None:
    members(name, value, required=("type", "format"))
    values.choice(f"{name}.type", value["type"], ("custom", "csat", "nps", "fcr"))
    values.choice(f"{name}.format", value["format"], ("single", "open"))


def _agent_survey(name: str, value: Any) -> None:
    members(name, value, optional=tuple(_AGENT_SURVEY))
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
