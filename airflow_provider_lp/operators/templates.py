"""What templates render to, read as the values that their author meant: without native rendering all of it is text."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError

#: Filters that take a text as it is, whatever it looks like.
TEXT_FILTERS = frozenset({"keyword", "summary", "questionBrick", "cappingConfiguration"})
TEXTS_FILTERS = frozenset({"answerText", "questionId", "questionName", "questionKeywords", "answerKeywords"})
BOOLEAN_FILTERS = frozenset({"selectedIntentOnly", "conversationsWithStepUpOnly", "pendingAgentSurvey"})
NUMBER_FILTERS = frozenset({"surveyId"})
#: Filters whose members make sense together only.
PAIRED_FILTERS = frozenset({"questionTypeAndFormatToRetrieve"})
BOOLEANS = {"True": True, "true": True, "False": False, "false": False}
#: What no conversation id holds, and the text of a Python object or a list does.
NOT_IN_AN_ID = r"[\s()\[\]{}<>'\"`,;=]"
#: What JSON, Python and others write where there is no value or no text, in lower case.
NO_IDS = frozenset({"", "none", "null", "nan", "undefined", "true", "false"})
#: Where the results of sensors have ids.
FOUND = "conversation_ids"
#: Characters of a value that are shown.
SHOWN = 200

NO_VALUE = "It comes from a template whose value this run does not have."


def shown(value: object) -> str:
    """A value as an error or the log shows it: not more than its beginning."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def from_template(value: Any) -> Any:
    """A list or dict, where a template made text of it; anything else as it is."""
    if isinstance(value, str) and value.strip().startswith(("[", "{", "(")):
        with suppress(SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            return literal_eval(value.strip())
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    if _is_lazy(value):
        return list(value)
    return value


def names_from_template(value: Any) -> Any:
    """A list of names; one alone is a list of one."""
    names = from_template(value)
    return [names] if isinstance(names, str) and names not in ("", "None") else names


def _is_lazy(value: object) -> bool:
    """Whether it is a collection that is made when it is read, such as the results of mapped tasks."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | list | tuple | set | frozenset)


def filters_from_template(filters: Any) -> Any:
    """
    Search filters, where templates made text of them, of their lists and ranges, or of booleans and numbers in them.

    Whether they are right is for :func:`~airflow_provider_lp.client.filters.check_filters` to say.
    """
    filters = from_template(filters)
    return _members(filters) if isinstance(filters, Mapping) else filters


def _members(values: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: _filter_value(name, value) for name, value in values.items()}


def _filter_value(name: object, value: Any) -> Any:
    if name in TEXT_FILTERS:
        return _text(value)
    value = from_template(value)
    if name == "agentSurveySearch" and isinstance(value, Mapping):
        return _members(value)
    if name == "sdeSearch" and isinstance(value, Mapping):
        return {kind: _text(word) for kind, word in value.items()}
    if name in TEXTS_FILTERS and isinstance(value, list):
        return [_text(item) for item in value]
    if name in BOOLEAN_FILTERS:
        return [_boolean(item) for item in value] if isinstance(value, list) else _boolean(value)
    if name in NUMBER_FILTERS and isinstance(value, list):
        return [number_from_template(item) for item in value]
    return value


def _text(value: Any) -> Any:
    return str(value) if type(value) in (int, float) else value


def _boolean(value: Any) -> Any:
    return BOOLEANS.get(value.strip(), value) if isinstance(value, str) else value


def number_from_template(value: Any) -> Any:
    """A whole number, where a template made text of it; anything else as it is."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def id_from_template(name: str, value: Any) -> Any:
    """
    An id as text, where native rendering made a number of it.

    :param name: the argument's name, for the error.
    :raises LivePersonConfigurationError: for the text that a template makes of no value.
    """
    if isinstance(value, str) and value.strip().lower() in NO_IDS:
        raise LivePersonConfigurationError(f"{name}={value!r} is no id. {NO_VALUE}")
    return str(value) if type(value) is int else value


def ids_from_template(name: str, value: Any) -> list[Any] | None:
    """
    Ids as a list: of a list, or of any other collection, mapped results included; of what a sensor has found; of the
    text that a template makes of these; of ids in one text, with commas or spaces between them.

    :param name: the argument's name, for the error.
    :raises LivePersonConfigurationError: for anything else, such as the text of an object that is no list.
    """
    if value is None:
        return None
    ids = from_template(value)
    if isinstance(ids, Mapping) and FOUND in ids:
        ids = ids[FOUND]
    if isinstance(ids, str):
        ids = ids.replace(",", " ").split() or None
    elif isinstance(value, str) and not isinstance(ids, list | tuple):
        raise _no_list(name, value)
    if isinstance(ids, Mapping | bytes) or not isinstance(ids, Iterable):
        raise _no_list(name, value)
    listed = [str(item).strip() if type(item) in (int, str) else item for item in ids]
    if not all(isinstance(item, str) and _is_id(item) for item in listed):
        raise _no_list(name, value)
    return listed


def _is_id(text: str) -> bool:
    return text.lower() not in NO_IDS and re.search(NOT_IN_AN_ID, text) is None and re.search(r"\w", text) is not None


def _no_list(name: str, value: object) -> LivePersonConfigurationError:
    said = shown(value)
    if isinstance(value, str) and value.strip().lower() in NO_IDS:
        return LivePersonConfigurationError(f"{name}={said} must be a list of ids. {NO_VALUE}")
    return LivePersonConfigurationError(
        f"{name}={said} must be a list of ids. Give a list, another task's output itself ({name}=other_task.output), "
        "or a template that makes a list, such as {{ ti.xcom_pull('other_task') | list }}. (Of a sensor's result, that "
        "is {{ ti.xcom_pull('sensor')['conversation_ids'] }}.)"
    )
