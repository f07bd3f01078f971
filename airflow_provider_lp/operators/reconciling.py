"""The operator that proves exports."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import (
    LivePersonConfigurationError,
    LivePersonDifferenceError,
    LivePersonIncompleteDataError,
)
from airflow_provider_lp.export.compression import compression_of
from airflow_provider_lp.operators import lineage
from airflow_provider_lp.operators.base import LivePersonOperator
from airflow_provider_lp.operators.export import DEFAULT_CONCURRENCY, check_max_concurrency
from airflow_provider_lp.operators.exports import decoded, flattened
from airflow_provider_lp.operators.links import PublishedObjectLink
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.output import StoredObjects, Target
from airflow_provider_lp.operators.paths import ANY_WINDOW, as_text, check_target, check_unrendered, object_url, said_of
from airflow_provider_lp.operators.searching import check_period
from airflow_provider_lp.windows import RunMoments, Window, resolve_window

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient
    from airflow_provider_lp.compat import BaseOperatorLink, Context, ObjectStoragePath
    from airflow_provider_lp.export.closings import Closings
    from airflow_provider_lp.export.manifest import Exports
    from airflow_provider_lp.export.reconciliation import Difference

log = logging.getLogger(__name__)

ON_DIFFERENCE = ("fail", "return")
#: How many differences an error names; the log names all.
NAMED = 20


class LivePersonReconcileOperator(LivePersonOperator):
    """
    Proves exports of :class:`~airflow_provider_lp.operators.conversations.LivePersonConversationsOperator`, tonight's
    or last year's, and writes a manifest of what it has proven.

    It fails, naming each window that falls short and why, unless

    * the windows tile the period: no gap, no overlap;
    * each object is there with the size that was exported, with ``verify_checksums`` with its checksum too;
    * LivePerson, asked now, counts just as many conversations for each window; with ``check_updates`` it has also
      updated none of them since.

    LivePerson's counts are asked for by the filters, the time field and the account of the exports, and trimmed as an
    export is; mostly that is one request a window, of exports by ``end`` some more. Another count is believed when it
    comes twice and its rows are there, that there is nothing when it comes three times. What LivePerson counted then
    and did not give (``shortfall``) must be counted now. Windows that begin more than 390 days ago are not counted,
    which is logged: LivePerson keeps 13 months. Filters by what changes, such as ``status`` or ``csat``, find others
    each time. Exports by ``latest_update`` know no upper bound, cannot be proven and are refused.

    With ``on_difference="return"`` the task gives the windows that differ, as a list of ``{"start", "end", "path"}``
    for ``LivePersonConversationsOperator.partial(...).expand_kwargs(reconcile.output)``: exported again, they replace
    what was there. An empty list says that nothing differs; a task mapped over it is skipped. What no export mends,
    such as an overlap, fails the task nonetheless.

    With ``path`` the manifest is published there, last, at once, and only if nothing differs: JSON with ``version,
    account_id, period, time_field, filters, max_age_s``, ``objects`` (each with ``path, start, end``, its counts,
    ``bytes, sha256, exported_at``, and ``"final": false`` where its window was not over then) and ``totals``. The same
    exports give the same bytes.

    The task returns (but with ``on_difference="return"``) ``period, time_field, windows, conversations, messages,
    open_conversations, outside_bounds, repaired, shortfall, final, object_bytes, closed_conversations, requests,
    retries``, and with ``path`` also ``path, bytes, sha256`` of the manifest. With ``path`` it is the extra of the
    asset events of the task's outlets too.

    :param exports: what to prove: the output of an export, or of mapped exports (``exports=export.output``); a
        manifest, or the URL of one; or a list of these. Of several that describe the same object the last one counts:
        repeated exports go after the manifests that they mend. An export that skipped an empty window leaves a gap.
        (templated)
    :param path: where to write the manifest: a URL such as ``s3://bucket/date={start:%Y-%m-%d}/manifest.json``, an
        ``ObjectStoragePath`` or a ``pathlib.Path``; ``{start}`` and ``{end}`` are those of the period, in UTC. ``None``
        (default) writes none. (templated)
    :param storage_conn_id: Airflow connection of the storage of the manifests, and of objects in whose paths none
        stands; default the one in the URL (``s3://conn@bucket/...``), or the worker's own credentials. (templated)
    :param start: start of the period that the windows must tile: aware datetime or ISO 8601 text with offset; with
        ``end``. Default: the period is what the windows span, so that one missing at an end is not noticed. (templated)
    :param end: end of the period, likewise. (templated)
    :param verify_checksums: whether to read each object, in a stream, and compare its sha256; default no.
    :param check_updates: whether a conversation that LivePerson has updated since the export (messages, transfers,
        surveys) is a difference; default no. LivePerson rounds that moment down to ten minutes, so that a window may
        seem updated that is not. In recent windows conversations still go on.
    :param on_difference: ``"fail"`` (default) or ``"return"``; see above. (templated)
    :param gap_path: with ``on_difference="return"``: the path of exports, with ``{start}`` and ``{end}``, such as
        ``s3://bucket/date={start:%Y-%m-%d}/conversations.ndjson.gz``. With it, gaps are given like other differences,
        cut at midnights, UTC, and a manifest that is not there leaves a gap. Default: both fail the task. (templated)
    :param messaging_conversation: whether to compare how many conversations were closed in the last 24 hours, as far as
        they belong to the period, in LivePerson's archive and in Messaging Operations, whatever the filters of the
        exports. A difference of more than 5 conversations and 2 per cent fails the task; default no.
    :param max_concurrency: requests in flight at most, default 4.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what retrying cannot mend: differences, arguments, credentials.
    :raises LivePersonError: by its kind, for what it may mend: throttling, outages.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (PublishedObjectLink(),)
    template_fields: Sequence[str] = (
        "exports",
        "path",
        "storage_conn_id",
        "start",
        "end",
        "on_difference",
        "gap_path",
        "liveperson_conn_id",
    )

    def __init__(
        self,
        *,
        exports: Any,
        path: str | PurePath | ObjectStoragePath | None = None,
        storage_conn_id: str | None = None,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        verify_checksums: bool = False,
        check_updates: bool = False,
        on_difference: str = "fail",
        gap_path: str | None = None,
        messaging_conversation: bool = False,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.exports = exports
        self.path = as_text(path)
        # A path that a template leaves empty is a mistake, and no wish to write none.
        self._writes = path is not None
        self.storage_conn_id = storage_conn_id
        self.start = start
        self.end = end
        self.verify_checksums = verify_checksums
        self.check_updates = check_updates
        self.on_difference = on_difference
        self.gap_path = gap_path
        self.messaging_conversation = messaging_conversation
        self.max_concurrency = max_concurrency
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        given.check("max_concurrency", check_max_concurrency)
        check_period(given)
        given.check("on_difference", _check_on_difference)
        exports = given.part("exports")
        if exports is not None:
            list(flattened(exports))
        check_target(given, ANY_WINDOW, _check_suffix)
        if given.unrendered("gap_path") is None:
            return
        if given.knows("on_difference") and given.get("on_difference") != "return":
            raise LivePersonConfigurationError(
                "gap_path says where exports of gaps go, which only on_difference='return' gives: leave it out."
            )
        with said_of("gap_path"):
            check_unrendered(given.unrendered("gap_path"), None, ANY_WINDOW)

    @property
    def undone(self) -> str:
        """What has not been done where the task fails."""
        return "Nothing was proven"

    def execute(self, context: Context) -> Any:
        """Prove; gives the summary, or the windows that differ."""
        from airflow_provider_lp.export.proof import Proof

        with self.final_failures():
            self.check_rendered()
            stored = StoredObjects(self.storage_conn_id)
            with self.client(self.max_concurrency) as client:
                given = self._given_period(client.now)
                exports = self._read_exports(stored, is_complete=given is None or self.gap_path is None)
                exports.check_account(client.account_id)
                period = self._period = given or exports.period
                if period is None:
                    raise LivePersonConfigurationError(f"exports={self.exports!r} holds no export: {_NOTHING}")
                target = Target.checked(self.path, self.storage_conn_id, period) if self._writes else None
                log.info("Proving %d exports of %s.", len(exports.objects), period)
                _warn_of_early(exports)
                proof = Proof(
                    client,
                    stored.locate,
                    gap_path=None if self.gap_path is None else self._path_of_gap,
                    verify_checksums=self.verify_checksums,
                    check_updates=self.check_updates,
                )
                if differences := proof.differences(exports, period):
                    return self._differing(differences, period)
                proven = [stored.locate(each.path) for each in exports.objects]
                self.has_read(*(lineage.of_storage(path.fs, path.path, path) for path in proven))
                summary = _summary(exports, period, self._closings(client, period), client)
                if target is not None:
                    summary |= publish_manifest(exports, period, target.path)
        if target is not None:
            summary = self.announce(target, summary, context, counted="windows")
        return [] if self.on_difference == "return" else summary

    def _given_period(self, now: datetime) -> Window | None:
        if self.start is None and self.end is None:
            return None
        return resolve_window(self.start, self.end, None, RunMoments(), now)

    def _path_of_gap(self, gap: Window) -> str:
        with said_of("gap_path"):
            return object_url(self.gap_path, None, gap).text

    def _read_exports(self, stored: StoredObjects, *, is_complete: bool) -> Exports:
        """
        What ``exports`` names, manifests read.

        :param is_complete: whether a manifest that is not there is a mistake, and does not leave a gap.
        """
        from airflow_provider_lp.export.manifest import Exports
        from airflow_provider_lp.export.stored import content_of

        described: list[object] = []
        for each in flattened(self.exports):
            if not isinstance(each, str):
                described.append(each)
                continue
            try:
                described.append(decoded(each, content_of(stored.locate(each))))
            except FileNotFoundError:
                if is_complete:
                    raise LivePersonDifferenceError(
                        f"exports names the manifest {each}, which is not there. Export its period again, or give "
                        'start, end, on_difference="return" and gap_path, so that its windows are given as a gap.'
                    ) from None
                log.warning("There is no manifest %s: its windows are a gap, unless others cover them.", each)
        return Exports.of(described)

    def _differing(self, differences: Sequence[Difference], period: Window) -> list[dict[str, str]]:
        """
        The windows to export again.

        :raises LivePersonDifferenceError: if they are not wanted, or if not all of them can be mended so.
        """
        for difference in differences:
            log.warning("Differs: %s.", difference)
        fatal = differences
        if self.on_difference == "return":
            fatal = [difference for difference in differences if difference.path is None]
        if not fatal:
            log.info("Returning %d windows to export again.", len(differences))
            return [difference.as_export() for difference in differences]
        number = f"{len(fatal)} window{'s' if len(fatal) > 1 else ''}"
        named = "; ".join(str(difference) for difference in fatal[:NAMED])
        more = f"; and {len(fatal) - NAMED} more, which the log names" if len(fatal) > NAMED else ""
        raise LivePersonDifferenceError(
            f"The exports of {period} fall short in {number}. {named}{more}. No manifest was written. "
            + (_MENDED_BY_HAND if self.on_difference == "return" else _TO_MEND)
        )

    def _closings(self, client: LivePersonClient, period: Window) -> Closings | None:
        """
        How many conversations were closed by two of LivePerson's systems, if that matters.

        :raises LivePersonIncompleteDataError: if they do not agree.
        """
        from airflow_provider_lp.export.closings import count_closings

        if not self.messaging_conversation:
            return None
        closings = count_closings(client, period)
        if closings is None:
            log.warning("Messaging Operations holds nothing of %s: its closed conversations are not compared.", period)
        elif not closings.agree:
            raise LivePersonIncompleteDataError(f"{closings}. No manifest was written.")
        else:
            log.info("%s.", closings)
        return closings


def _check_on_difference(on_difference: object) -> None:
    if on_difference not in ON_DIFFERENCE:
        raise LivePersonConfigurationError(
            f"on_difference={on_difference!r} must be one of {', '.join(ON_DIFFERENCE)}."
        )


def _check_suffix(path: str) -> None:
    if compression_of(path) is not None:
        raise LivePersonConfigurationError(f"path={path!r}: a manifest is plain JSON. End the path in .json.")


def publish_manifest(exports: Exports, period: Window, path: ObjectStoragePath) -> dict[str, Any]:
    """Publish the manifest of a period that the exports tile; gives its size and checksum."""
    from airflow_provider_lp.export.publishing import publish_object

    published = publish_object((content for content in (exports.manifest(period),)), path)
    return {"path": str(path), "bytes": published.bytes, "sha256": published.sha256}


def _summary(exports: Exports, period: Window, closings: Closings | None, client: LivePersonClient) -> dict[str, Any]:
    return {
        "period": {"start": period.start.isoformat(), "end": period.end.isoformat()},
        "time_field": exports.scope.time_field if exports.scope else None,
        "windows": len(exports.objects),
        **exports.totals,
        "final": not exports.not_final,
        "object_bytes": sum(each.bytes for each in exports.objects),
        "closed_conversations": closings.summary() if closings else None,
        "requests": client.requests,
        "retries": client.retries,
    }


def _warn_of_early(exports: Exports) -> None:
    """Name the exports that were made before their windows were over: even what agrees now may have been other."""
    if early := exports.not_final:
        log.warning(
            "%d exports are not final: they were made before their windows were over, or only just. Export again: %s%s",
            len(early),
            "; ".join(f"{each.window} ({each.path})" for each in early[:NAMED]),
            "; …" if len(early) > NAMED else ".",
        )


_NOTHING = "nothing can be proven. Give start and end of the period, to have it named as a gap."
_TO_MEND = (
    "Export these windows again, to the same paths, and reconcile again: on_difference='return' gives them to a mapped "
    "export."
)
_MENDED_BY_HAND = "No export mends these: take out what covers a moment twice, or give gap_path for gaps."
