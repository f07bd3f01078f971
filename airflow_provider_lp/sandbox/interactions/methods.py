"""The three methods of Messaging Interactions: search, by conversation id, by consumer id."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count, groupby
from typing import Any

import msgspec

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.cache import LeastRecentlyUsed
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.faults import Faults
from airflow_provider_lp.sandbox.http import values
from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request, json_answer
from airflow_provider_lp.sandbox.interactions.filters import STATES, parse_search
from airflow_provider_lp.sandbox.interactions.pages import Page
from airflow_provider_lp.sandbox.records.record import KNOWN_CONTENT

_SEARCH_PARAMETERS = frozenset({"offset", "limit", "sort", "v", "source", "rollover"})
_CONSUMER_PARAMETERS = frozenset({"offset", "limit", "v", "source"})
_IDS_PARAMETERS = frozenset({"v", "source"})
_SORTS = ("start:asc", "start:desc", "end:asc", "end:desc")
_SOURCE = re.compile(r"[A-Za-z0-9_]{1,20}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_MAX_LIMIT = 100
_DEFAULT_LIMIT = 50
_MAX_IDS = 100
_CACHED_SEARCHES = 64
# LivePerson's list of default content spells this one differently from its list of names.
_SPELLINGS = {"SDEs": "sdes"}


class Interactions:
    """Answers the three methods from an account.

    ``page_rows`` is the most rows of a page whatever its limit asks, ``empty_as_204`` answers a search without matches
    with 204, ``end_field`` is the moment that the filter ``end`` tests.
    """

    def __init__(self, account: Account, faults: Faults, end_field: str) -> None:
        self.page_rows = _MAX_LIMIT
        self.empty_as_204 = False
        self.end_field = end_field
        self._account = account
        self._shuffles = count()
        self._faults = faults
        # Pages asked for at the same time wait for one search instead of each doing it.
        self._searching = threading.Lock()
        self._searches: LeastRecentlyUsed[Sequence[Conversation]] = LeastRecentlyUsed(_CACHED_SEARCHES)

    def search(self, request: Request) -> Answer:
        """``conversations/search``."""
        parameters = _parameters(request, _SEARCH_PARAMETERS)
        sort = parameters.get("sort")
        if sort is not None and sort not in _SORTS:
            raise Refused(400, f"sort must be one of {', '.join(_SORTS)}")
        if parameters.get("rollover", "false") not in ("true", "false"):
            raise Refused(400, "rollover must be true or false")
        body = request.json_object()
        content = _content(body.pop("contentToRetrieve", None), KNOWN_CONTENT)
        key = (self._account.now_ms(), self.end_field, sort, msgspec.json.encode(body, order="deterministic"))
        with self._searching:
            found = self._searches.get(key, lambda: self._found(body, sort))
        return self._page(request, parameters, found, content, whole=False)

    def by_conversation(self, request: Request) -> Answer:
        """``conversations/conversation/search``: whole records; ids that do not exist are left out."""
        parameters = _parameters(request, _IDS_PARAMETERS)
        body = request.json_object()
        content = _content(body.pop("contentToRetrieve", None), KNOWN_CONTENT)
        found = [self._account.find(conversation_id) for conversation_id in dict.fromkeys(_wanted_ids(body))]
        existing = _newest_first(each for each in found if each is not None)
        return self._page(request, parameters | {"limit": str(_MAX_IDS)}, existing, content, whole=True)

    def by_consumer(self, request: Request) -> Answer:
        """``conversations/consumer/search``: all conversations of a consumer with the given states."""
        parameters = _parameters(request, _CONSUMER_PARAMETERS)
        body = request.json_object()
        content = _content(body.pop("contentToRetrieve", None), KNOWN_CONTENT)
        if unknown := body.keys() - {"consumer", "status"}:
            raise Refused(400, f"unknown member {min(unknown)!r}")
        consumer = values.text("consumer", body.get("consumer"))
        states = values.choices("status", body.get("status"), STATES)
        existing = _newest_first(
            each for each in self._account.conversations() if each.consumer_id == consumer and each.status in states
        )
        return self._page(request, parameters, existing, content, whole=False)

    def _found(self, body: dict[str, Any], sort: str | None) -> Sequence[Conversation]:
        search = parse_search(body, self._account.now_ms(), self.end_field)
        started = self._account.started_between(search.start.from_ms, search.start.to_ms)
        return _sorted(filter(search.passes, started), sort)

    def _page(
        self,
        request: Request,
        parameters: dict[str, str],
        found: Sequence[Conversation],
        content: tuple[str, ...] | None,
        *,
        whole: bool,
    ) -> Answer:
        offset, limit = int(parameters.get("offset", 0)), int(parameters.get("limit", _DEFAULT_LIMIT))
        if self.empty_as_204 and not found:
            return Answer(204)
        asked = slice(offset, offset + min(limit, self.page_rows)) if not whole else slice(None)
        fault = self._faults.for_page(request.path, len(found[asked]))
        if fault and fault.kind == "heavy_page":
            return replace(json_answer(500, {"internalCode": "0008", "message": "Runtime exception"}), fault=fault.kind)
        if fault and fault.kind == "ties_shuffled":
            found = _shuffled(found, parameters.get("sort"), next(self._shuffles))
        version = int(parameters.get("v", 1))
        encoded = self._account.encoded_record
        rows = [encoded(each, content, whole=whole or not each.is_partial, version=version) for each in found[asked]]
        page = Page(request.path, parameters, len(found), offset, limit, rows)
        if fault is None:
            return Answer(200, page.encoded())
        return Answer(200, page.spoiled(fault).encoded(), fault=fault.kind)


def _parameters(request: Request, allowed: frozenset[str]) -> dict[str, str]:
    parameters = request.parameters(allowed)
    if not _SOURCE.fullmatch(parameters.get("source", "")):
        raise Refused(400, "source is required: at most 20 letters, digits and underscores")
    if parameters.get("v", "1") not in ("1", "2"):
        raise Refused(400, "v must be 1 or 2")
    if not _WHOLE_NUMBER.fullmatch(parameters.get("offset", "0")):
        raise Refused(400, "offset must be a whole number, 0 or more")
    limit = parameters.get("limit", str(_DEFAULT_LIMIT))
    if not _WHOLE_NUMBER.fullmatch(limit) or not 1 <= int(limit) <= _MAX_LIMIT:
        raise Refused(400, f"limit must be a whole number from 1 to {_MAX_LIMIT}")
    return parameters


def _content(names: Any, known: frozenset[str]) -> tuple[str, ...] | None:
    if names is None:
        return None
    if not isinstance(names, list):
        raise Refused(400, "contentToRetrieve must be a list of names")
    wanted: dict[str, None] = {}
    for name in names:
        if not isinstance(name, str) or _SPELLINGS.get(name, name) not in known:
            raise Refused(400, f"contentToRetrieve: unknown name {name!r}")
        wanted[_SPELLINGS.get(name, name)] = None
    return tuple(wanted)


def _wanted_ids(body: dict[str, Any]) -> tuple[str, ...]:
    if len(body) != 1:
        raise Refused(400, "one of conversationId and conversationIds is needed, and nothing else")
    if "conversationId" in body:
        return (values.text("conversationId", body["conversationId"]),)
    if "conversationIds" not in body:
        raise Refused(400, f"unknown member {min(body)!r}")
    ids = values.texts("conversationIds", body["conversationIds"])
    if len(ids) > _MAX_IDS:
        raise Refused(400, f"conversationIds holds more than {_MAX_IDS} ids")
    return ids


def _sorted(conversations: Iterable[Conversation], sort: str | None) -> Sequence[Conversation]:
    """LivePerson promises no order among equals: they come by the reversed id, an order nobody should rely on."""
    if sort is None:
        return _newest_first(conversations)
    scattered = sorted(conversations, key=lambda each: each.conversation_id[::-1])
    return sorted(scattered, key=_sorted_by(sort), reverse=sort.endswith(":desc"))


def _sorted_by(sort: str) -> Callable[[Conversation], int]:
    if sort.startswith("start:"):
        return lambda each: each.start_ms
    return lambda each: -1 if each.end_ms is None else each.end_ms


def _shuffled(conversations: Sequence[Conversation], sort: str | None, seed: int) -> Sequence[Conversation]:
    """The same with those of one moment in an order of their own for each seed."""
    rng = random.Random(seed)
    groups = [list(group) for _, group in groupby(conversations, _sorted_by(sort or "start:desc"))]
    return [each for group in groups for each in rng.sample(group, len(group))]


def _newest_first(conversations: Iterable[Conversation]) -> Sequence[Conversation]:
    return _sorted(conversations, "start:desc")
