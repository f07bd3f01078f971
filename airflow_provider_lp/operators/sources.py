"""The argument ``source``: which objects of exported conversations it names, in which storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.operators.output import Target
from airflow_provider_lp.operators.paths import as_text, said_of
from airflow_provider_lp.operators.templates import from_template
from airflow_provider_lp.tables.sources import Source
from airflow_provider_lp.windows import Window, parse_moment

WILDCARDS = frozenset("*?[")
#: What an export has not finished, on a local disk that knows no nameless files.
UNFINISHED = ".liveperson-"
WANTED = (
    "Give the URL of an export, several of them, a pattern such as s3://bucket/lp/date=2026-01-31/*.ndjson.gz, or what "
    "an export returns (source=export.output)."
)


def sources_of(source: object, source_conn_id: str | None) -> list[Source]:
    """
    The objects that ``source`` names, in its order; those that match a pattern by their names.

    :param source: a URL or path, a pattern, the summary of an export, or a list of such; also as text.
    :param source_conn_id: the connection of their storage.
    :raises LivePersonConfigurationError: naming the remedy, if it names none, or one of them twice.
    """
    sources = list(_sources(source, source_conn_id))
    if not sources:
        raise LivePersonConfigurationError(f"source={source!r} names nothing to make tables of. {WANTED}")
    seen: set[tuple[Any, str]] = set()
    for each in sources:
        if (each.fs, each.path) in seen:
            raise LivePersonConfigurationError(
                f"source names {each.url} twice: its conversations would be doubled. Take one of them out."
            )
        seen.add((each.fs, each.path))
    return sources


def period_of(source: object) -> Window | None:
    """
    The period of the exports that ``source`` describes, from the first start to the last end.

    :param source: as :func:`sources_of` takes it.
    :return: ``None`` if something in it does not say its period, as a URL does not.
    """
    source = from_template(source)
    if isinstance(source, list | tuple):
        periods = [period_of(each) for each in source]
        known = [period for period in periods if period is not None]
        if not known or len(known) < len(periods):
            return None
        return Window(min(each.start_ms for each in known), max(each.end_ms for each in known))
    match source:
        case {"window": {"start": str() as start, "end": str() as end}}:
            return Window.between(parse_moment("start", start), parse_moment("end", end))
    return None


def are_final(source: object) -> bool:
    """
    Whether no export that ``source`` describes was made before its period was over, as far as they say so.

    :param source: as :func:`sources_of` takes it.
    """
    source = from_template(source)
    if isinstance(source, list | tuple):
        return all(map(are_final, source))
    return not isinstance(source, Mapping) or source.get("final") is not False


def _sources(source: object, conn_id: str | None) -> Iterator[Source]:
    source = from_template(source)
    match source:
        case str() | PurePath():
            yield from _located(as_text(source), conn_id)
        case Mapping():
            yield _exported(source, conn_id)
        case list() | tuple():
            for each in source:
                yield from _sources(each, conn_id)
        case None:
            raise LivePersonConfigurationError(f"source=None names nothing to make tables of. {WANTED}")
        case _:
            # An object of Airflow's storage is no PurePath on every version.
            yield from _located(as_text(source), conn_id)


def _exported(summary: Mapping[str, Any], conn_id: str | None) -> Source:
    """The object that an export's summary describes; what is read of it must be what the summary says."""
    path = summary.get("path")
    if not isinstance(path, str):
        raise LivePersonConfigurationError(
            f"source holds a dict without a path (its members: {', '.join(map(str, list(summary)[:10]))}). Give the "
            "export a path: tables are made of the object that it writes, not of what it returns through XCom."
        )
    (found,) = _located(path, conn_id, is_pattern=False)
    sha256, conversations = summary.get("sha256"), summary.get("conversations")
    return Source(
        found.fs,
        found.path,
        found.url,
        sha256 if isinstance(sha256, str) else None,
        conversations if isinstance(conversations, int) else None,
        found.conn_id,
    )


def _located(text: Any, conn_id: str | None, *, is_pattern: bool = True) -> Iterator[Source]:
    if isinstance(text, str) and text.endswith("/"):
        raise LivePersonConfigurationError(
            f"source={text!r} names a folder. Give a pattern of what is in it, such as {text}*.ndjson.gz."
        )
    with said_of("source", "source_conn_id"):
        target = Target.checked(text, conn_id, check_suffix=str)
    fs, path = target.path.fs, target.path.path
    # What another task of this process has listed may be gone by now.
    fs.invalidate_cache()
    if not is_pattern or WILDCARDS.isdisjoint(target.url.text):
        yield Source(fs, path, target.url.text, conn_id=target.url.conn_id)
        return
    found = fs.glob(path, detail=True)
    names = sorted(
        name
        for name, entry in found.items()
        if entry["type"] != "directory" and not name.rpartition("/")[2].startswith(UNFINISHED)
    )
    if not names:
        raise LivePersonConfigurationError(
            f"source={text!r} matches no object. Check the pattern, and let the export that writes them run before "
            "this task."
        )
    for name in names:
        yield Source(fs, name, fs.unstrip_protocol(name), conn_id=target.url.conn_id)
