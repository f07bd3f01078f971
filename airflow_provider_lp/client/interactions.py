"""The Messaging Interactions API: conversations by search, by id and by consumer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp.client.calls import Authorization, Call, Caller
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import (
    STATUSES,
    TIME_FILTERS,
    check_content,
    check_filters,
    check_status,
    warn_of_undocumented,
)
from airflow_provider_lp.client.records import Page, read_page

if TYPE_CHECKING:
    from airflow_provider_lp.client.domains import Domains

SERVICE = "msgHist"
ROWS_PER_PAGE = 100
IDS_PER_CALL = 100
API_VERSION = "2"
SORTS = ("start:asc", "start:desc", "end:asc", "end:desc")
JSON_HEADERS = {"Content-Type": "application/json"}


class MessagingInteractions:
    """
    Conversations and their transcripts, as one account's client sees them.

    :param transport: how to send.
    :param domains: where to.
    :param authorization: how to sign.
    :param account_id: the LivePerson account.
    :param source: the caller name LivePerson asks for.
    """

    def __init__(
        self, transport: Caller, domains: Domains, authorization: Authorization, account_id: str, source: str
    ) -> None:
        self._transport = transport
        self._domains = domains
        self._authorization = authorization
        self._path = f"/messaging_history/api/account/{account_id}/conversations"
        self._source = source

    def search(
        self,
        filters: Mapping[str, Any],
        *,
        content: Collection[str] | None = None,
        offset: int = 0,
        limit: int = ROWS_PER_PAGE,
        sort: str = "start:asc",
    ) -> Page:
        """
        One page of ``POST .../conversations/search``.

        :param filters: LivePerson's filters. ``start`` (``{"from": ..., "to": ...}``, epoch milliseconds, both
            inclusive and rounded outwards to ten minutes by LivePerson, at most three months apart) is required.
        :param content: content types to retrieve; default LivePerson's own choice.
        :param offset: rows to skip, default 0.
        :param limit: rows in a page, 1 to 100, default 100.
        :param sort: ``start`` or ``end`` with ``:asc`` or ``:desc``; default ``start:asc``.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        times = {name: _check_times(name, filters[name]) for name in TIME_FILTERS if name in filters}
        if "start" not in times:
            raise LivePersonConfigurationError("filters['start'] is required by LivePerson in every search.")
        others = check_filters({name: value for name, value in filters.items() if name not in TIME_FILTERS})
        checked = check_content(content)
        if sort not in SORTS:
            raise LivePersonConfigurationError(f"sort={sort!r} must be one of {', '.join(SORTS)}.")
        _check_paging(offset, limit)
        warn_of_undocumented(filters=others, content=checked)
        body = {**times, **others, **({"contentToRetrieve": checked} if checked else {})}
        return self.search_page(msgspec.json.encode(body), offset=offset, limit=limit, sort=sort)

    def search_page(
        self,
        body: bytes,
        *,
        offset: int,
        limit: int = ROWS_PER_PAGE,
        sort: str = "start:asc",
        divisible: bool = False,
    ) -> Page:
        """
        As :meth:`search`, for a body that is encoded and known to be right: what reads page after page.

        :param divisible: whether a page that cannot be had will be asked for in smaller ones; then it is retried only
            once.
        """
        params: dict[str, str | int] = {"v": API_VERSION, "sort": sort, "offset": offset, "limit": limit}
        return self._page("/search", body, params, offset=offset, divisible=divisible)

    def by_id(
        self, conversation_ids: Sequence[str], *, content: Collection[str] | None = None, divisible: bool = False
    ) -> Page:
        """
        Whole conversations by ``POST .../conversations/conversation/search``; ids LivePerson does not know are absent.

        :param conversation_ids: 1 to 100 ids.
        :param content: content types to retrieve; default LivePerson's own choice.
        :param divisible: whether what cannot be had will be asked for in smaller parts; then it is retried only once.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        if not 1 <= len(conversation_ids) <= IDS_PER_CALL:
            raise LivePersonConfigurationError(
                f"conversation_ids has {len(conversation_ids)} ids; one call takes 1 to {IDS_PER_CALL}."
            )
        checked = check_content(content)
        warn_of_undocumented(content=checked)
        body: dict[str, Any] = {"contentToRetrieve": checked} if checked else {}
        if len(conversation_ids) == 1:
            body["conversationId"] = conversation_ids[0]
        else:
            body["conversationIds"] = list(conversation_ids)
        return self._page("/conversation/search", msgspec.json.encode(body), {"v": API_VERSION}, divisible=divisible)

    def by_consumer(
        self,
        consumer_id: str,
        *,
        status: Collection[str] = STATUSES,
        content: Collection[str] | None = None,
        offset: int = 0,
        limit: int = ROWS_PER_PAGE,
        divisible: bool = False,
    ) -> Page:
        """
        One page of a consumer's conversations by ``POST .../conversations/consumer/search``.

        :param consumer_id: the consumer's id: ``participantId`` in ``consumerParticipants``.
        :param status: which conversations; default open and closed ones.
        :param content: content types to retrieve; default LivePerson's own choice.
        :param offset: rows to skip, default 0.
        :param limit: rows in a page, 1 to 100, default 100.
        :param divisible: whether a page that cannot be had will be asked for in smaller ones; then it is retried only
            once.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        if not isinstance(consumer_id, str) or not consumer_id.strip():
            raise LivePersonConfigurationError(f"consumer_id={consumer_id!r} must be a consumer's id.")
        _check_paging(offset, limit)
        # Whose conversations these are is personal data, and LivePerson may repeat it in an error.
        self._transport.hide(consumer_id)
        body: dict[str, Any] = {"consumer": consumer_id, "status": check_status(status)}
        if checked := check_content(content, by_consumer=True):
            body["contentToRetrieve"] = checked
        warn_of_undocumented(content=checked, status=body["status"], by_consumer=True)
        params: dict[str, str | int] = {"offset": offset, "limit": limit}
        return self._page("/consumer/search", msgspec.json.encode(body), params, offset=offset, divisible=divisible)

    def _page(
        self, method: str, body: bytes, params: Mapping[str, str | int], *, offset: int = 0, divisible: bool = False
    ) -> Page:
        endpoint = f"conversations{method}"
        call = Call(
            endpoint=endpoint,
            method="POST",
            url=self._domains.base_url(SERVICE) + self._path + method,
            params={**params, "source": self._source},
            content=body,
            headers=JSON_HEADERS,
            divisible=divisible,
        )
        return self._transport.call(
            call, lambda answer: read_page(answer, endpoint, offset=offset), self._authorization
        )


def _check_times(name: str, value: Any) -> dict[str, int]:
    allowed = {"from"} if name == "latestUpdateTime" else {"from", "to"}
    whole = isinstance(value, Mapping) and all(type(moment) is int for moment in value.values())
    if not whole or set(value) != allowed or value["from"] > value.get("to", value["from"]):
        raise LivePersonConfigurationError(
            f"filters[{name!r}]={value!r} must hold {' and '.join(sorted(allowed))} in whole epoch milliseconds, "
            "in that order of time."
        )
    return dict(value)


def _check_paging(offset: int, limit: int) -> None:
    if offset < 0 or not 1 <= limit <= ROWS_PER_PAGE:
        raise LivePersonConfigurationError(
            f"offset={offset}, limit={limit}: offset must be 0 or more and limit 1 to {ROWS_PER_PAGE}."
        )
