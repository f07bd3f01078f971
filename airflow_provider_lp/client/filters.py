"""The filters, content types and statuses of Messaging Interactions: which names there are, and what they take."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.spelling import nearest

log = logging.getLogger(__name__)

#: Checks a filter's value. Takes the filter's name and the value; gives the value as LivePerson takes it.
Check = Callable[[str, Any], Any]

#: Filters that the operators set from the period to export.
TIME_FILTERS = ("start", "end", "fullDialogEndTime", "latestUpdateTime")

CONTENT_TYPES = frozenset(
    {
        "agentParticipants",
        "agentParticipantsActive",
        "agentParticipantsLeave",
        "campaign",
        "coBrowseSessions",
        "consumerParticipants",
        "conversationSurveys",
        "dialogs",
        "intents",
        "interactions",
        "latestAgentSurvey",
        "messageRecords",
        "messageScores",
        "messageStatuses",
        "monitoring",
        "pageView",
        "previouslySubmittedAgentSurveys",
        "responseTime",
        "sdes",
        "SDEs",
        "skillChanges",
        "summary",
        "transfers",
        "unAuthSdes",
        "uniqueIntents",
    }
)
#: Content types that LivePerson does not document. Its own console asks for them.
CONSOLE_CONTENT_TYPES = frozenset({"pageViews"})
#: Content types that LivePerson does not document for the search by consumer.
NOT_BY_CONSUMER = frozenset(
    {
        "dialogs",
        "intents",
        "latestAgentSurvey",
        "pageView",
        "previouslySubmittedAgentSurveys",
        "skillChanges",
        "uniqueIntents",
    }
)
STATUSES = ("OPEN", "CLOSE")
#: A status that LivePerson does not document. Its own console asks for it.
CONSOLE_STATUSES = ("OVERDUE",)
MESSAGE_CONTENT_TYPES = (
    "TEXT_PLAIN",
    "TEXT_HTML",
    "LINK",
    "HOSTED_FILE",
    "IMG",
    "SECURE_FORM_INVITATION",
    "SECURE_FORM_SUBMIT",
    "RICH_CONTENT",
)
SDE_KINDS = (
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
IDENTIFIER = re.compile(r"-?[0-9A-Za-z_.@-]+")
#: Ids of skills and groups are numbers; -1 stands for none.
NUMERIC_ID = re.compile(r"-1|[0-9]+")
CODE = re.compile(r"[A-Z][A-Z0-9_]*")
UNSEARCHABLE_NUMBER = re.compile(r"[0-9]{4}")
#: What a template makes of a value that a run does not have.
NO_VALUES = ("", "None")
#: Characters of a wrong value that are shown.
LONGEST_SHOWN = 200


def _refuse(name: str, value: object, expected: str, hint: str = "") -> LivePersonConfigurationError:
    return LivePersonConfigurationError(
        f"filters[{name!r}]={_shown(value)} is not usable: expected {expected}.{hint}{_template_hint(value)}"
    )


def _shown(value: object) -> str:
    """A value for people: templates can make lists of thousands."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _is_no_value(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in NO_VALUES)


def _template_hint(value: object) -> str:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    if any(_is_no_value(some) for some in (value, *inner)):
        return " (None, or an empty text, comes from a template whose value this run does not have.)"
    return ""


def _items(name: str, value: Any, expected: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise _refuse(name, value, f"a list that is not empty, of {expected}")
    return value


def _ids(name: str, value: Any) -> list[int | str]:
    expected = "ids (numbers or text)"
    for item in _items(name, value, expected):
        if isinstance(item, bool) or not isinstance(item, int | str) or not _is_id(str(item)):
            raise _refuse(name, value, f"a list of {expected}")
    return list(value)


def _numeric_ids(name: str, value: Any) -> list[int | str]:
    if not all(NUMERIC_ID.fullmatch(str(item)) for item in _ids(name, value)):
        raise _refuse(name, value, "a list of ids, which are numbers, -1 for none")
    return list(value)


def _is_id(text: str) -> bool:
    return text not in NO_VALUES and IDENTIFIER.fullmatch(text) is not None


def _texts(name: str, value: Any) -> list[str]:
    if any(not isinstance(item, str) or _is_no_value(item) for item in _items(name, value, "texts")):
        raise _refuse(name, value, "a list of texts")
    return list(value)


def _text(name: str, value: Any) -> str:
    # A search for the text "None" would find something else than was meant, and nobody would see it.
    if not isinstance(value, str) or _is_no_value(value):
        raise _refuse(name, value, "a text")
    return value


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, value, "True or False")
    return value


def _booleans(name: str, value: Any) -> list[bool]:
    return [_boolean(name, item) for item in _items(name, value, "True or False")]


def _codes(name: str, value: Any) -> list[str]:
    # LivePerson does not name the codes of all its channels, so any code is let through.
    if any(not isinstance(item, str) or not CODE.fullmatch(item) for item in _items(name, value, "channel codes")):
        raise _refuse(name, value, "a list of channel codes such as APP, SHARK, SMS, FACEBOOK")
    return list(value)


def _some_of(*allowed: str, undocumented: Collection[str] = ()) -> Check:
    def check(name: str, value: Any) -> list[str]:
        items = [str(item) for item in _items(name, value, ", ".join(allowed))]
        for item in items:
            if item not in allowed and item not in undocumented:
                raise _refuse(name, value, f"a list of {', '.join(allowed)}", nearest(item, allowed))
        return items

    return check


def _one_of(*allowed: str) -> Check:
    def check(name: str, value: Any) -> str:
        if value not in allowed:
            raise _refuse(name, value, f"one of {', '.join(allowed)}")
        return str(value)

    return check


def _range(lowest: int, highest: int | None, unit: str) -> Check:
    limits = f"{lowest} to {highest}" if highest is not None else f"{lowest} or more"

    def side(name: str, value: Any, number: Any) -> int:
        try:
            whole = int(number)
        except (TypeError, ValueError):
            whole = lowest - 1
        if isinstance(number, bool | float) or whole < lowest or (highest is not None and whole > highest):
            raise _refuse(name, value, f'{{"from": ..., "to": ...}} in {unit}, each {limits}')
        return whole

    def check(name: str, value: Any) -> dict[str, int]:
        if not isinstance(value, Mapping) or not value or not set(value) <= {"from", "to"}:
            raise _refuse(name, value, f'{{"from": ..., "to": ...}} in {unit}, at least one of the two')
        sides = {key: side(name, value, number) for key, number in value.items()}
        if "from" in sides and "to" in sides and sides["from"] > sides["to"]:
            raise _refuse(name, value, '"from" no larger than "to"')
        return sides

    return check


def _sde_search(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value or not set(value) <= set(SDE_KINDS):
        raise _refuse(name, value, f"a dict of text to search by kind of SDE ({', '.join(SDE_KINDS)})")
    for text in value.values():
        if UNSEARCHABLE_NUMBER.search(_text(name, text)):
            raise _refuse(
                name, value, "texts without more than three digits in a row, since LivePerson cannot find those"
            )
    return dict(value)


def _members(**checks: Check) -> Check:
    def check(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not value or not set(value) <= set(checks):
            raise _refuse(name, value, f"a dict with some of {', '.join(checks)}")
        return {key: checks[key](f"{name}.{key}", item) for key, item in value.items()}

    return check


def _question_type(name: str, value: Any) -> dict[str, Any]:
    members = _members(type=_one_of("custom", "csat", "nps", "fcr"), format=_one_of("single", "open"))
    checked: dict[str, Any] = members(name, value)
    if len(checked) != 2:
        raise _refuse(name, value, "both type and format")
    return checked


def _numbers(name: str, value: Any) -> list[int]:
    if any(not isinstance(item, int) or isinstance(item, bool) for item in _items(name, value, "numbers")):
        raise _refuse(name, value, "a list of numbers")
    return list(value)


FILTERS: dict[str, Check] = {
    "status": _some_of(*STATUSES, undocumented=CONSOLE_STATUSES),
    "skillIds": _numeric_ids,
    "latestSkillIds": _numeric_ids,
    "agentIds": _ids,
    "userPermissions": _some_of("ASSIGNED_AGENT", "AGENT", "AGENT_MANGER", "READER"),
    "latestAgentIds": _ids,
    "agentGroupIds": _ids,
    "keyword": _text,
    "summary": _text,
    "duration": _range(0, None, "seconds"),
    "mcs": _range(0, 100, "points"),
    "alertedMcsValues": _some_of("-1", "0", "1"),
    "csat": _range(1, 5, "points"),
    "nps": _range(0, 10, "points"),
    "fcr": _some_of("yes", "no", "1", "0"),
    "source": _codes,
    "device": _some_of("DESKTOP", "TABLET", "MOBILE", "NA"),
    "messageContentTypes": _some_of(*MESSAGE_CONTENT_TYPES),
    "latestConversationQueueState": _one_of("IN_QUEUE", "ACTIVE"),
    "sdeSearch": _sde_search,
    "responseTime": _range(0, None, "milliseconds"),
    "questionBrick": _text,
    "invalidFreeTextAnswer": _one_of("INVALID_FREE_TEXT_ANSWER"),
    "surveyBotConversations": _one_of("SURVEY_BOT"),
    "surveyIds": _ids,
    "questionTypeAndFormatToRetrieve": _question_type,
    "answerText": _texts,
    "selectedIntentOnly": _boolean,
    "conversationsWithStepUpOnly": _boolean,
    "agentSurveySearch": _members(
        pendingAgentSurvey=_booleans,
        questionId=_texts,
        questionName=_texts,
        questionKeywords=_texts,
        answerKeywords=_texts,
        surveyId=_numbers,
    ),
    "annotationStates": _some_of("OPEN", "SUBMITTED", "VETTED"),
    "cappingConfiguration": _text,
}


def check_filters(filters: Mapping[str, Any] | None) -> dict[str, Any]:
    """
    The filters in the form in which LivePerson takes them.

    :param filters: LivePerson's own filter names and values; the time filters and ``contentToRetrieve`` excepted.
    :raises LivePersonConfigurationError: for an unknown name or a value that LivePerson would refuse or ignore.
    """
    if filters is not None and not isinstance(filters, Mapping):
        raise LivePersonConfigurationError(
            f"filters={_shown(filters)} must be a dict of LivePerson's filter names.{_template_hint(filters)}"
        )
    return {name: _check_filter(name, value) for name, value in (filters or {}).items()}


def _check_filter(name: str, value: Any) -> Any:
    if name in TIME_FILTERS:
        raise LivePersonConfigurationError(
            f"filters[{name!r}] belongs to the operator: give the period as start and end, and time_field."
        )
    if name == "contentToRetrieve":
        raise LivePersonConfigurationError("filters['contentToRetrieve'] is given as content=[...].")
    if name not in FILTERS:
        raise LivePersonConfigurationError(
            f"filters[{name!r}] is not a filter of LivePerson's search.{nearest(name, FILTERS)} "
            f"Known: {', '.join(sorted(FILTERS))}."
        )
    return FILTERS[name](name, value)


def check_content(content: Collection[str] | None, *, by_consumer: bool = False) -> list[str] | None:
    """
    The content types to retrieve; ``None`` leaves the choice to LivePerson.

    :param content: names of LivePerson's content types. Those that LivePerson uses itself and does not document for a
        search are let through.
    :param by_consumer: for the search by consumer, for which fewer are documented.
    :raises LivePersonConfigurationError: for a name that LivePerson does not know.
    """
    if content is None:
        return None
    if not isinstance(content, list | tuple | set) or not content or not all(isinstance(name, str) for name in content):
        raise LivePersonConfigurationError(
            f"content={_shown(content)} must be a list of LivePerson's content types, or None for its default."
            f"{_template_hint(content)}"
        )
    for name in content:
        if name not in CONTENT_TYPES | CONSOLE_CONTENT_TYPES:
            raise LivePersonConfigurationError(
                f"content={_shown(name)} is not known to LivePerson.{nearest(name, CONTENT_TYPES)} "
                f"Known: {', '.join(sorted(_documented(by_consumer)))}."
            )
    return list(dict.fromkeys(content))


def _documented(by_consumer: bool) -> frozenset[str]:
    return CONTENT_TYPES - NOT_BY_CONSUMER if by_consumer else CONTENT_TYPES


def check_status(status: Collection[str]) -> list[str]:
    """
    Which conversations to retrieve, by their status.

    :param status: ``OPEN``, ``CLOSE`` or both. ``OVERDUE``, which LivePerson does not document, is let through.
    :raises LivePersonConfigurationError: for anything else.
    """
    allowed = (*STATUSES, *CONSOLE_STATUSES)
    if not isinstance(status, list | tuple | set) or not status:
        raise LivePersonConfigurationError(
            f"status={_shown(status)} must be a list of {', '.join(STATUSES)}.{_template_hint(status)}"
        )
    for name in status:
        if name not in allowed:
            raise LivePersonConfigurationError(
                f"status={_shown(status)} must be a list of {', '.join(STATUSES)}.{nearest(name, STATUSES)}"
            )
    return [name for name in allowed if name in status]


def warn_of_undocumented(
    *,
    filters: Mapping[str, Any] | None = None,
    content: Collection[str] | None = None,
    status: Collection[str] = (),
    by_consumer: bool = False,
) -> None:
    """Log what of a search LivePerson does not document: when it is made, and not when a DAG file is parsed."""
    names = [f"content={name!r}" for name in content or () if name not in _documented(by_consumer)]
    names += [f"status={name!r}" for name in status if name in CONSOLE_STATUSES]
    names += [f"{name} in filters['status']" for name in (filters or {}).get("status", ()) if name in CONSOLE_STATUSES]
    for name in names:
        _warn(name)


@cache
def _warn(argument: str) -> None:
    """Once a process: sensors make their searches at every poll."""
    log.warning(
        "%s is not documented by LivePerson here; passed on, because LivePerson's own console uses it.", argument
    )
