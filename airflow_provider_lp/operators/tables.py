"""The operator that makes tables of exported conversations."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.export.compression import compression_of
from airflow_provider_lp.hooks.connection_ids import check_conn_id
from airflow_provider_lp.operators import lineage
from airflow_provider_lp.operators.base import LivePersonOperator
from airflow_provider_lp.operators.links import PublishedObjectLink
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.output import Target, describe_events
from airflow_provider_lp.operators.path_fields import zone_named
from airflow_provider_lp.operators.paths import ANY_WINDOW, as_text, check_target, check_unrendered, said_of, shown_as
from airflow_provider_lp.operators.templates import from_template

if TYPE_CHECKING:
    from airflow_provider_lp.compat import BaseOperatorLink, Context, ObjectStoragePath
    from airflow_provider_lp.tables.building import Built
    from airflow_provider_lp.tables.sources import Source
    from airflow_provider_lp.windows import Window

log = logging.getLogger(__name__)

TABLE = "{table}"
#: Stands for the name of any table.
ANY_TABLE = "_any_table_"
EXAMPLE = "s3://bucket/lp/{table}/date={start:%Y-%m-%d}/{table}.parquet"
MANIFEST_VERSION = 1
#: Suffixes of what a table is not.
OTHER_FORMATS = (".avro", ".csv", ".gz", ".json", ".jsonl", ".ndjson", ".orc", ".zip", ".zst")


class LivePersonTablesOperator(LivePersonOperator):
    """
    Makes typed tables of exported conversations: one Parquet file each.

    Asks LivePerson nothing: tables can be made, and made again, for as long as the exports are kept. What the tables
    are stands in ``docs/tables.md``. Needs pyarrow: ``pip install 'airflow-provider-lp[parquet]'``.

    No table becomes visible before all of them are complete, each replaces the one before it in one step, and the same
    input gives the same bytes. Nothing is dropped in silence: a member that the schema does not know, or a value that
    does not fit, is kept in the column ``_extra`` of its row and counted in ``unknown_fields``.

    The task returns a summary: ``tables`` (by name: ``path, rows, bytes, sha256``), ``conversations,
    unknown_fields, duplicates, repaired, schema_version``, and ``"final": false`` where the source's exports say that
    their period was not over; it is the extra of the asset events of the task's outlets too.

    :param source: what to make tables of: the URL or path of an export (plain, ``.gz`` or ``.zst``), a pattern of
        such, what an export returns (``source=export.output``), or a list of these. Of what an export returns, it is
        checked that the object still is the one that was exported. (templated)
    :param path: where to write, with ``{table}`` for the table's name:
        ``s3://bucket/lp/{table}/date={start:%Y-%m-%d}/{table}.parquet``. ``{start}`` and ``{end}`` are those of the
        period that the source's exports cover, from the first start to the last end, as Python formats datetimes; they
        are known of what exports return, and not of URLs. (templated)
    :param path_timezone: the time zone of ``{start}`` and ``{end}``; default ``"UTC"``. (templated)
    :param source_conn_id: Airflow connection of the source's storage; default the one in the URL, or the worker's own
        credentials. (templated)
    :param storage_conn_id: likewise, of the storage that tables are written to. (templated)
    :param tables: names of tables; default all. (templated)
    :param manifest_path: where to write, last of all, a JSON object that lists what was read and written; default
        nowhere. (templated)
    :param liveperson_conn_id: not used here.
    :raises AirflowFailException: without retries, for what retrying cannot mend: arguments, a source that cannot be
        read.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (PublishedObjectLink(),)
    template_fields: Sequence[str] = (
        "source",
        "source_conn_id",
        "path",
        "path_timezone",
        "storage_conn_id",
        "tables",
        "manifest_path",
    )

    def __init__(
        self,
        *,
        source: Any,
        path: str | PurePath | ObjectStoragePath,
        path_timezone: str | tzinfo = "UTC",
        source_conn_id: str | None = None,
        storage_conn_id: str | None = None,
        tables: Collection[str] | str | None = None,
        manifest_path: str | PurePath | ObjectStoragePath | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = as_text(source)
        self.source_conn_id = source_conn_id
        self.path = as_text(path)
        self.path_timezone = path_timezone
        self.storage_conn_id = storage_conn_id
        self.tables = tables
        self.manifest_path = as_text(manifest_path)
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        given.check("source_conn_id", partial(check_conn_id, "source_conn_id"))
        if given.knows("path_timezone"):
            zone_named(given.get("path_timezone"))
        if given.part("tables") is not None:
            _names(given.part("tables"))
        path = as_text(given.unrendered("path"))
        if TABLE in str(path) or given.knows("path"):
            with shown_as(ANY_TABLE, TABLE):
                check_unrendered(_of_table(path, ANY_TABLE), given.get("storage_conn_id"), ANY_WINDOW, _check_suffix)
        check_target(given, ANY_WINDOW, compression_of, "manifest_path")

    @property
    def undone(self) -> str:
        """What has not been done where the task fails."""
        return "Nothing was published"

    def execute(self, context: Context) -> Any:
        """Make the tables; gives the summary."""
        from airflow_provider_lp.export.outcomes import after
        from airflow_provider_lp.operators.sources import are_final, period_of, sources_of
        from airflow_provider_lp.tables.building import build_tables

        with self.final_failures():
            self.check_rendered()
            names = _names(self.tables)
            source = from_template(self.source)
            period = self._period = period_of(source)
            targets = {name: self._target(name, period) for name in names}
            with said_of("manifest_path"):
                manifest = self._manifest(period)
            sources = sources_of(source, self.source_conn_id)
            _check_apart(sources, [*targets.values(), *([] if manifest is None else [manifest])])
            log.info("Making %d tables of %d objects.", len(targets), len(sources))
            built = build_tables(sources, {name: target.path for name, target in targets.items()})
            summary = _summary(built, targets) | ({} if are_final(source) else {"final": False})
            if manifest is not None:
                with said_of("manifest_path"), after("The tables are published, and their manifest is not."):
                    _publish_manifest(summary, built, manifest)
        _report(summary)
        made = summary["tables"].values()
        self.count(
            conversations=summary["conversations"],
            rows=sum(table["rows"] for table in made),
            published_bytes=sum(table["bytes"] for table in made),
        )
        describe_events(summary, targets.values(), context, self.outlets)
        self.has_read(*(lineage.of_storage(each.fs, each.path, each.fs) for each in sources))
        self.has_written(*(_dataset(name, targets[name].path, table) for name, table in summary["tables"].items()))
        self.link_to([target.path for target in targets.values()], context)
        return summary

    def _target(self, name: str, period: Window | None) -> Target:
        return self._located(_of_table(self.path, name), period, _check_suffix)

    def _manifest(self, period: Window | None) -> Target | None:
        return None if self.manifest_path is None else self._located(self.manifest_path, period, compression_of)

    def _located(self, path: Any, period: Window | None, check_suffix: Callable[[str], object]) -> Target:
        if period is None and isinstance(path, str) and re.search(r"\{(start|end)[:}]", path):
            raise LivePersonConfigurationError(
                f"path={path!r} names the period of the source, which is known of what exports return "
                "(source=export.output) and not of URLs. Use a template such as {{ ds }}."
            )
        zone = zone_named(self.path_timezone)
        return Target.checked(path, self.storage_conn_id, period, check_suffix, zone)


def _names(tables: Any) -> list[str]:
    """The tables to make, in the schema's order."""
    from airflow_provider_lp.tables.schema import TABLES

    given = from_template(tables)
    if given is None:
        return list(TABLES)
    if isinstance(given, str):
        given = given.replace(",", " ").split()
    if not isinstance(given, Collection) or not given:
        raise LivePersonConfigurationError(f"tables={given!r} must be a list of names of tables; leave it out for all.")
    for name in given:
        if name not in TABLES:
            raise LivePersonConfigurationError(
                f"tables: there is no table {name!r}.{nearest(name, TABLES)} Known: {', '.join(TABLES)}."
            )
    return [name for name in TABLES if name in given]


def _of_table(path: Any, name: str) -> Any:
    """The path of a table; anything but text as it is."""
    if not isinstance(path, str):
        return path
    if path.strip() not in ("", "None") and TABLE not in path:
        raise LivePersonConfigurationError(
            f"path={path!r} must hold {TABLE}, in whose place the name of each table goes: {EXAMPLE}."
        )
    return path.replace(TABLE, name)


def _check_apart(sources: Sequence[Source], targets: Sequence[Target]) -> None:
    """Refuse to write over what tables are made of, or twice to one place."""
    taken = {(each.fs, each.path): "is what tables are made of" for each in sources}
    for target in targets:
        place = (target.path.fs, target.path.path)
        if place in taken:
            raise LivePersonConfigurationError(
                f"{target.url.text} {taken[place]}, and would be replaced. Change path or manifest_path."
            )
        taken[place] = "is where a table goes"


def _check_suffix(path: str) -> None:
    if path.lower().endswith(OTHER_FORMATS):
        raise LivePersonConfigurationError(
            f"path={path!r} promises another format: tables are Parquet, compressed inside. End it in .parquet."
        )


def _summary(built: Built, targets: Mapping[str, Target]) -> dict[str, Any]:
    summary = built.summary()
    summary["tables"] = {name: {**table, "path": targets[name].url.text} for name, table in summary["tables"].items()}
    return summary


def _publish_manifest(summary: Mapping[str, Any], built: Built, manifest: Target) -> None:
    from airflow_provider_lp.export.publishing import publish_object

    sources = [
        {"path": read.url, "bytes": read.bytes, "sha256": read.sha256, "conversations": read.conversations}
        for read in built.sources
    ]
    content = {"version": MANIFEST_VERSION, "sources": sources, **summary}

    def chunks() -> Generator[bytes, None, None]:
        yield json.dumps(content, indent=1).encode() + b"\n"

    publish_object(chunks(), manifest.path)
    log.info("Published the manifest at %s.", manifest.url.text)


def _dataset(name: str, path: ObjectStoragePath, table: Mapping[str, Any]) -> lineage.Dataset:
    """A table as lineage has it."""
    from airflow_provider_lp.tables.parquet import columns_of

    columns = tuple(lineage.Column(*column) for column in columns_of(name))
    return lineage.of_storage(path.fs, path.path, path, rows=table["rows"], bytes=table["bytes"], columns=columns)


def _report(summary: Mapping[str, Any]) -> None:
    """Say in the log what was published."""
    for name, table in summary["tables"].items():
        log.info("Published %s: %d rows (%d bytes) at %s.", name, table["rows"], table["bytes"], table["path"])
    if summary["unknown_fields"]:
        log.info(
            "The schema does not know these members, or their values did not fit; they are in _extra: %s.",
            ", ".join(f"{name} ({count})" for name, count in summary["unknown_fields"].items()),
        )
    if "final" in summary:
        log.warning("These tables are not final: they are made of exports whose periods were not over.")
    log.info("Summary: %s", json.dumps(summary))
