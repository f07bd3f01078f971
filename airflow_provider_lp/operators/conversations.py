"""Operators that export conversations, transcripts included."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.compat import AirflowSkipException, mask_secret
from airflow_provider_lp.export.terms import check_max_shortfall
from airflow_provider_lp.operators.context import moments_of
from airflow_provider_lp.operators.export import DEFAULT_CONCURRENCY, LivePersonExportOperator
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.redaction import check_redact, redactor_of
from airflow_provider_lp.operators.searching import check_content_literals, check_search, check_status_literals
from airflow_provider_lp.operators.templates import (
    filters_from_template,
    from_template,
    id_from_template,
    ids_from_template,
    names_from_template,
    number_from_template,
    shown,
)
from airflow_provider_lp.retention import DEFAULT_MAX_AGE, is_final, warn_of_short_max_age
from airflow_provider_lp.windows import parse_span, resolve_window

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context
    from airflow_provider_lp.export.query import ConversationQuery

log = logging.getLogger(__name__)


class LivePersonConversationsOperator(LivePersonExportOperator):
    """
    Exports exactly the conversations of a period, each once, or fails.

    Rests on LivePerson's Messaging Interactions API (``conversations/search`` and, for truncated records,
    ``conversations/conversation/search``).

    With ``path``, the conversations are published there as one object: newline-delimited JSON, ordered by moment and
    id, compressed if the path ends in ``.gz`` or ``.zst``. Until all of them are there and counted, nothing is visible
    at the path and what was there stays. The task returns a summary: ``path, format, compression, conversations,
    messages, open_conversations, window, account_id, filters, max_age_s, exported_at, final, bytes, sha256,
    outside_bounds, repaired, redacted, shortfall, requests, retries``, by ``latest_update`` also ``days``, on which the
    conversations have started; ``final`` is false where the period was not over, or only just, so that the export may
    lack some of it. It is the extra of the asset events of the task's outlets too, and what
    :class:`~airflow_provider_lp.operators.reconciling.LivePersonReconcileOperator` proves the export by.
    Without ``path``, the task returns the conversations themselves.

    The period is, by the first that applies: ``start`` and ``end``; the run's data interval, if longer than zero; the
    run's partition date and ``window`` after it; ``window`` before the run's logical date, or before the moment it
    was due; the last whole interval of the DAG's schedule before that moment, where the run has none of its own. It
    includes its start and excludes its end.

    :param start: start of the period: aware datetime or ISO 8601 text with offset; with ``end``. (templated)
    :param end: end of the period, likewise. (templated)
    :param window: length of the period for runs that only have a moment: a timedelta, seconds, or ISO 8601 text such as
        ``P1D``. A length, and no calendar day: where clocks change, a local day is an hour shorter or longer. For local
        days, schedule with data intervals in that time zone. (templated)
    :param time_field: which moment of a conversation must lie in the period: ``"start"`` (default), ``"end"``,
        ``"full_dialog_end"`` (the end with its survey), or ``"latest_update"``: all conversations updated at or after
        the period's start, and perhaps more. (templated)
    :param filters: LivePerson's search filters by their own names; the time filters excepted. (templated)
    :param content: LivePerson's content types to retrieve; default its own choice. (templated)
    :param max_age: for time fields other than ``start``: how long before the period a conversation may have started;
        default 90 days, at most 13 months; given as ``window`` is. (templated)
    :param path: where to write, in any storage that Airflow knows: a URL such as
        ``s3://bucket/date={start:%Y-%m-%d}/conversations.ndjson.gz``, an ``ObjectStoragePath`` or a ``pathlib.Path``.
        ``{start}`` and ``{end}`` are those of the period that is exported, as Python formats datetimes, so that path
        and period cannot disagree; templates may stand beside them. ``None`` (default) returns the conversations
        through XCom. (templated)
    :param path_timezone: the time zone of ``{start}`` and ``{end}``: ``"UTC"`` (default), or, for local days, such as
        ``"Europe/Berlin"``; the period itself does not change. (templated)
    :param storage_conn_id: Airflow connection of the storage; default the one in the URL (``s3://conn@bucket/...``),
        or the worker's own credentials. (templated)
    :param format: ``"ndjson"``, the default and only one: a conversation a line, as LivePerson sent it, minified.
    :param max_concurrency: requests in flight at most, default 4.
    :param max_xcom_bytes: without ``path``: more than this fails the task; default 1 MiB.
    :param skip_if_empty: skip the task instead of publishing an object without conversations; default no.
    :param redact: what personal data to take out before a conversation reaches a file, a log or XCom: ``"personal"``
        for names, contacts, addresses and ids of consumers, and for addresses of e-mail and numbers of bank accounts,
        cards and telephones in texts; or a dict of ``preset``, ``drop`` and ``pseudonymise`` (paths of members, such as
        ``consumerParticipants.*.email``), ``mask`` (``email``, ``iban``, ``card``, ``phone``), ``text`` (dotted path of
        a function that takes a text and gives one) and ``key_conn_id`` (the Airflow connection whose password is the
        key of pseudonyms). Default nothing is taken out. (templated)
    :param max_shortfall: how many conversations may be missing that LivePerson counts and does not give, however often
        asked; the summary and the log say how many are. Default 0: the task fails instead. (templated)
    :param partition_by_day: with ``time_field="latest_update"``: whether each asset of the outlets gets an event for
        each day (UTC) on which conversations have started that were updated, with the day as its partition key, such as
        ``2026-01-31``: DAGs with a partitioned schedule run for each of these days, others do not run. Airflow before
        3.3 knows no such keys: one event then. Default no.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what retrying cannot mend: arguments, credentials, permissions.
    :raises LivePersonError: by its kind, for what it may mend: throttling, outages, data that is not whole.
    """

    template_fields: Sequence[str] = (
        "start",
        "end",
        "window",
        "time_field",
        "filters",
        "content",
        "max_age",
        "max_shortfall",
        "redact",
        "path",
        "path_timezone",
        "storage_conn_id",
        "liveperson_conn_id",
    )
    template_fields_renderers = {"filters": "json", "redact": "json"}  # noqa: RUF012 - as Airflow declares it

    def __init__(
        self,
        *,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        window: timedelta | float | str | None = None,
        path_timezone: str | tzinfo = "UTC",
        time_field: str = "start",
        filters: Mapping[str, Any] | None = None,
        content: Collection[str] | None = None,
        max_age: timedelta | float | str = DEFAULT_MAX_AGE,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        skip_if_empty: bool = False,
        max_shortfall: int | str = 0,
        partition_by_day: bool = False,
        redact: str | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.window = window
        self.path_timezone = path_timezone
        self.time_field = time_field
        self.filters = filters
        self.content = content
        self.max_age = max_age
        self.max_concurrency = max_concurrency
        self.skip_if_empty = skip_if_empty
        self.max_shortfall = max_shortfall
        self.partition_by_day = partition_by_day
        self.redact = redact
        # What a template leaves empty is a mistake, and no wish to keep personal data.
        self._redacts = redact is not None
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        check_search(given)
        check_content_literals(given)
        check_redact(given)
        given.check("max_shortfall", lambda number: check_max_shortfall(number_from_template(number)))
        if given.get("partition_by_day"):
            _check_partitions(given)

    def execute(self, context: Context) -> Any:
        """Export; gives the summary, or the conversations where there is no path."""
        from airflow_provider_lp.export.conversations import collect_conversations, export_conversations

        with self.final_failures():
            self.check_rendered()
            redactor = redactor_of(self.redact) if self._redacts else None
            with self.client(self.max_concurrency) as client:
                query = self._query(context, client.now)
                target = self.target(query.window)
                if target is None:
                    records = collect_conversations(client, query, max_bytes=self.max_xcom_bytes, redactor=redactor)
                else:
                    summary = export_conversations(
                        client, query, target.path, publish_empty=not self.skip_if_empty, redactor=redactor
                    )
        if target is None:
            self._tell_if_empty(len(records), query)
            self.count(conversations=len(records))
            log.info("Returning %d conversations through XCom.", len(records))
            return records
        self._tell_if_empty(summary["conversations"], query)
        partitions = summary["days"] if self.partition_by_day else ()
        return self.announce(target, summary, context, counted="conversations", partitions=partitions)

    def _query(self, context: Context, now: datetime) -> ConversationQuery:
        from airflow_provider_lp.export.query import ConversationQuery

        window = self._period = resolve_window(self.start, self.end, self.window, moments_of(context), now)
        query = ConversationQuery.checked(
            window,
            now=now,
            time_field=self.time_field,
            max_age=parse_span("max_age", self.max_age),
            filters=filters_from_template(self.filters),
            content=from_template(self.content),
            max_shortfall=number_from_template(self.max_shortfall),
        )
        log.info("Exporting conversations by %s within %s.", self.time_field, window)
        warn_of_short_max_age(self.time_field, self.max_age, query.max_age)
        if not is_final(window.end, now):
            log.warning(
                "The window %s reaches into what LivePerson may not show yet: this export is not final. Let the task "
                "start some minutes after its window ends, or run it again.",
                window,
            )
        return query

    def _tell_if_empty(self, conversations: int, query: ConversationQuery) -> None:
        """
        Say that there was nothing: a quiet hour, or filters that match nothing.

        :raises AirflowSkipException: if the task is to be skipped then.
        """
        if conversations:
            return
        nothing = f"No conversations by {self.time_field} within {query.window}"
        if query.filters:
            log.warning("%s match filters=%s. See that these are what was meant.", nothing, shown(dict(query.filters)))
        else:
            log.info("%s.", nothing)
        if self.skip_if_empty:
            raise AirflowSkipException(f"{nothing}.")


def _check_partitions(given: Literals) -> None:
    is_of_its_period = given.knows("time_field") and given.get("time_field") != "latest_update"
    if is_of_its_period or (given.knows("path") and given.get("path") is None):
        raise LivePersonConfigurationError(
            "partition_by_day=True goes with time_field='latest_update' and a path: it tells of the days whose "
            "conversations were updated. Any other export is about its own period; leave it out."
        )


class LivePersonConversationLookupOperator(LivePersonExportOperator):
    """
    Exports conversations by their ids, or all conversations of a consumer, whole.

    Rests on LivePerson's ``conversations/conversation/search`` (100 ids a request) and
    ``conversations/consumer/search``.

    With ``path``, the conversations are published there as one object, as
    :class:`LivePersonConversationsOperator` does, ordered by start and id, and the task returns a summary: ``path,
    format, compression, conversations, messages, open_conversations, missing, bytes, sha256, repaired, redacted,
    requests, retries``.
    Without ``path``, it returns ``records, conversations, repaired, redacted, missing, requests, retries``.

    :param conversation_ids: ids, any number: a list, another task's output (a sensor's and mapped ones too), or a
        template that gives one, such as ``{{ ti.xcom_pull('find') | list }}``. (templated)
    :param consumer_id: instead of ids: the consumer whose conversations to export. (templated)
    :param status: with ``consumer_id``: ``"OPEN"``, ``"CLOSE"`` or a list; default all conversations. (templated)
    :param content: LivePerson's content types to retrieve; default its own choice. (templated)
    :param allow_missing: whether ids that LivePerson does not return are only listed as ``missing`` in the result,
        instead of failing the task; default no.
    :param path: where to write: a URL, an ``ObjectStoragePath`` or a ``pathlib.Path``; a lookup has no period whose
        ``{start}`` it could hold. ``None`` (default) returns the conversations through XCom. (templated)
    :param storage_conn_id: Airflow connection of the storage; default the one in the URL (``s3://conn@bucket/...``),
        or the worker's own credentials. (templated)
    :param format: ``"ndjson"``, the default and only one.
    :param max_concurrency: requests in flight at most, default 4.
    :param max_xcom_bytes: without ``path``: more than this fails the task; default 1 MiB.
    :param redact: what personal data to take out, as :class:`LivePersonConversationsOperator` does. (templated)
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what retrying cannot mend: arguments, credentials, permissions.
    :raises LivePersonError: by its kind, for what it may mend: throttling, outages, missing conversations.
    """

    has_period = False
    template_fields: Sequence[str] = (
        "conversation_ids",
        "consumer_id",
        "status",
        "content",
        "redact",
        "path",
        "storage_conn_id",
        "liveperson_conn_id",
    )

    def __init__(
        self,
        *,
        conversation_ids: Iterable[str | int] | str | None = None,
        consumer_id: str | int | None = None,
        status: Collection[str] | str | None = None,
        content: Collection[str] | None = None,
        allow_missing: bool = False,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        redact: str | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conversation_ids = conversation_ids
        self.consumer_id = consumer_id
        self.status = status
        self.content = content
        self.allow_missing = allow_missing
        self.max_concurrency = max_concurrency
        self.redact = redact
        self._redacts = redact is not None
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        from airflow_provider_lp.export.lookup_query import check_ids, check_terms

        super().check_literals(given)
        known = [given.get(name) for name in ("conversation_ids", "consumer_id", "status")]
        if given.knows("conversation_ids", "consumer_id", "status"):
            check_terms(*known)
        ids = ids_from_template("conversation_ids", given.part("conversation_ids"))
        if ids is not None:
            check_ids(ids)
        given.check("consumer_id", partial(id_from_template, "consumer_id"))
        check_status_literals(given)
        check_content_literals(given, by_consumer=given.get("consumer_id") is not None)
        check_redact(given)

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render the templates; with ``redact``, Airflow shows no consumer's id among what was rendered."""
        super().render_template_fields(context, jinja_env)
        if self._redacts and self.consumer_id is not None:
            mask_secret(str(self.consumer_id))

    def execute(self, context: Context) -> Any:
        """Look up and export; gives the summary, with the conversations in it where there is no path."""
        from airflow_provider_lp.export.lookup import Lookup
        from airflow_provider_lp.export.lookup_query import LookupQuery

        with self.final_failures():
            self.check_rendered()
            redactor = redactor_of(self.redact) if self._redacts else None
            query = LookupQuery.checked(
                conversation_ids=ids_from_template("conversation_ids", self.conversation_ids),
                consumer_id=id_from_template("consumer_id", self.consumer_id),
                status=names_from_template(self.status),
                content=from_template(self.content),
                allow_missing=self.allow_missing,
            )
            target = self.target()
            with self.client(self.max_concurrency) as client, Lookup(client, query, redactor) as lookup:
                if target is None:
                    result = lookup.collect(self.max_xcom_bytes)
                    self.count(conversations=result["conversations"])
                    log.info(
                        "Returning %d conversations through XCom; %d ids are missing.",
                        result["conversations"],
                        len(result["missing"]),
                    )
                    return result
                summary = lookup.export(target.path)
        return self.announce(target, summary, context, counted="conversations")
