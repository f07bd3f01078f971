"""What exports say of themselves: the summary of each, and the manifest that holds those of a whole period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonError
from airflow_provider_lp.export.counting import LEAST_CONTENT
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.retention import DEFAULT_MAX_AGE, is_final
from airflow_provider_lp.windows import Window, parse_moment

VERSION = 1
#: What is counted of each object and added up for all of them.
COUNTS = ("conversations", "messages", "open_conversations", "outside_bounds", "repaired", "shortfall")
#: Characters of a wrong value that are shown.
SHOWN = 200


class ObjectEntry(msgspec.Struct, frozen=True, kw_only=True):
    """
    An exported object, as a manifest has it; the members are those of an export's summary.

    :param start: of its window, ISO 8601.
    :param end: of its window, which excludes it.
    :param exported_at: when the export began, ISO 8601: what LivePerson has updated later is not in it.
    :param final: false where the window was not over then, or only just; otherwise absent.
    """

    path: str
    start: str
    end: str
    conversations: int
    messages: int = 0
    open_conversations: int = 0
    outside_bounds: int = 0
    repaired: int = 0
    shortfall: int = 0
    redacted: Any = msgspec.UNSET
    bytes: int
    sha256: str
    format: str = "ndjson"
    compression: str | None = None
    exported_at: str
    final: bool | msgspec.UnsetType = msgspec.UNSET

    @property
    def window(self) -> Window:
        """The window that was exported."""
        return Window.between(parse_moment("start", self.start), parse_moment("end", self.end))

    @property
    def counted(self) -> int:
        """How many conversations LivePerson counted then: those that were exported, and those that it did not give."""
        return self.conversations + self.shortfall

    @property
    def updates_missing_from(self) -> datetime:
        """The moment from which on LivePerson's updates may be missing."""
        return parse_moment("exported_at", self.exported_at)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """
    What all exports of a period must share.

    :param account_id: whose conversations.
    :param time_field: which moment of a conversation lies in the window.
    :param filters: LivePerson's filters.
    :param max_age_s: for time fields other than ``start``: how many seconds before the window a conversation may have
        started.
    """

    account_id: str
    time_field: str
    filters: dict[str, Any]
    max_age_s: float | None = None

    def query(self, entry: ObjectEntry, now: datetime) -> ConversationQuery:
        """
        The search by which an object was exported, with as little content as possible.

        :raises LivePersonConfigurationError: if LivePerson would not take it.
        """
        return ConversationQuery.checked(
            entry.window,
            now=now,
            time_field=self.time_field,
            max_age=DEFAULT_MAX_AGE if self.max_age_s is None else timedelta(seconds=self.max_age_s),
            filters=self.filters,
            content=LEAST_CONTENT,
            max_shortfall=entry.shortfall,
        )


class _SummaryWindow(msgspec.Struct):
    time_field: str
    start: str
    end: str


class _Period(msgspec.Struct):
    start: str
    end: str


class _Manifest(msgspec.Struct, kw_only=True):
    version: int
    account_id: str
    period: _Period
    time_field: str
    filters: dict[str, Any]
    max_age_s: float | None = None
    objects: list[ObjectEntry]
    totals: dict[str, int] = {}


@dataclass(frozen=True)
class Exports:
    """
    Exported objects, ordered by their windows. Made by :meth:`of`.

    :param scope: what they share; ``None`` where there are none.
    :param objects: the objects, each path once.
    """

    scope: Scope | None
    objects: Sequence[ObjectEntry]

    @classmethod
    def of(cls, described: Iterable[object]) -> Exports:
        """
        The objects that summaries and manifests describe.

        Of several that describe the same object, the last one counts: the object was exported again.

        :param described: summaries of exports and manifests, decoded.
        :raises LivePersonConfigurationError: if one is neither, or they do not belong together.
        """
        scope: Scope | None = None
        objects: dict[str, ObjectEntry] = {}
        for number, value in enumerate(described):
            for its_scope, entry in _entries(f"exports[{number}]", value):
                if scope is not None and its_scope != scope:
                    raise _mixed(scope, its_scope, entry)
                scope = its_scope
                _check_same_window(objects.get(entry.path), entry)
                objects[entry.path] = entry
        return cls(scope, sorted(objects.values(), key=lambda each: (each.window.start_ms, each.window.end_ms)))

    @cached_property
    def period(self) -> Window | None:
        """What the windows span; ``None`` where there are none."""
        if not self.objects:
            return None
        windows = [each.window for each in self.objects]
        return Window(min(each.start_ms for each in windows), max(each.end_ms for each in windows))

    @property
    def totals(self) -> dict[str, int]:
        """The counts of all objects together."""
        return {name: sum(getattr(each, name) for each in self.objects) for name in COUNTS}

    @property
    def not_final(self) -> list[ObjectEntry]:
        """The objects whose windows were not over when they were exported."""
        return [each for each in self.objects if each.final is False]

    def check_account(self, account_id: str) -> None:
        """
        Make sure that LivePerson is asked for the account that was exported.

        :raises LivePersonConfigurationError: if not.
        """
        if self.scope is not None and self.scope.account_id != account_id:
            raise LivePersonConfigurationError(
                f"The exports are of account {self.scope.account_id}, but liveperson_conn_id leads to account "
                f"{account_id}: give the connection that exported."
            )

    def manifest(self, period: Window) -> bytes:
        """
        The manifest of a period that these objects tile: JSON, the same bytes for the same objects.

        :raises ValueError: if there are none.
        """
        if self.scope is None:
            raise ValueError("there is nothing to write a manifest of")
        manifest = _Manifest(
            version=VERSION,
            account_id=self.scope.account_id,
            period=_Period(period.start.isoformat(), period.end.isoformat()),
            time_field=self.scope.time_field,
            filters=self.scope.filters,
            max_age_s=self.scope.max_age_s,
            objects=list(self.objects),
            totals={
                "objects": len(self.objects),
                **self.totals,
                "bytes": sum(each.bytes for each in self.objects),
            },
        )
        # In the order of the fields, but filters by name: what the author wrote first does not matter.
        manifest.filters = msgspec.json.decode(msgspec.json.encode(manifest.filters, order="deterministic"))
        return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def _entries(name: str, value: object) -> Iterator[tuple[Scope, ObjectEntry]]:
    """The objects that a summary or a manifest describes, and what they share with others."""
    if not isinstance(value, Mapping):
        raise LivePersonConfigurationError(f"{name}={_shown(value)} {_EXPECTED}")
    if "info" in value or "records" in value:
        raise LivePersonConfigurationError(
            f"{name} holds conversations instead of a summary: give the export a path. Only objects can be proven."
        )
    try:
        if "objects" in value:
            yield from _of_manifest(name, value)
        else:
            yield _of_summary(value)
    except msgspec.ValidationError as error:
        raise LivePersonConfigurationError(f"{name} {_EXPECTED} What is wrong with it: {error}.") from error
    except (LivePersonError, ValueError) as error:
        raise LivePersonConfigurationError(f"{name} cannot be used: {error}") from error


def _of_summary(summary: Mapping[str, Any]) -> tuple[Scope, ObjectEntry]:
    window = msgspec.convert(summary.get("window"), _SummaryWindow)
    scope = msgspec.convert({**summary, "time_field": window.time_field}, Scope)
    entry = msgspec.convert({**summary, "start": window.start, "end": window.end}, ObjectEntry)
    return _checked(scope, entry)


def _of_manifest(name: str, value: Mapping[str, Any]) -> Iterator[tuple[Scope, ObjectEntry]]:
    if value.get("version") != VERSION:
        raise LivePersonConfigurationError(
            f"{name} is a manifest of version {value.get('version')!r}, and only {VERSION} is known here: use the "
            "version of airflow-provider-lp that wrote it."
        )
    manifest = msgspec.convert(value, _Manifest)
    scope = msgspec.convert(value, Scope)
    for entry in manifest.objects:
        yield _checked(scope, entry)


def _checked(scope: Scope, entry: ObjectEntry) -> tuple[Scope, ObjectEntry]:
    """The same, if its moments can be read and what it holds can be proven."""
    if scope.time_field == "latest_update":
        raise LivePersonConfigurationError(
            f"{entry.path} was exported by time_field='latest_update'. Such exports know no upper bound and overlap, "
            "so that neither tiling nor counts can prove them: leave them out."
        )
    final = is_final(entry.window.end, entry.updates_missing_from)
    return scope, msgspec.structs.replace(entry, final=msgspec.UNSET if final else False)


def _check_same_window(earlier: ObjectEntry | None, entry: ObjectEntry) -> None:
    if earlier is not None and earlier.window != entry.window:
        raise LivePersonConfigurationError(
            f"The exports of {earlier.window} and of {entry.window} have the same path {entry.path}: the later has "
            "replaced the earlier. Let {start} in the path tell them apart, and export both again."
        )


def _mixed(scope: Scope, other: Scope, entry: ObjectEntry) -> LivePersonConfigurationError:
    name = next(name for name in scope.__struct_fields__ if getattr(scope, name) != getattr(other, name))
    return LivePersonConfigurationError(
        f"The exports do not belong together: {entry.path} was exported with {name}={_shown(getattr(other, name))}, "
        f"others with {_shown(getattr(scope, name))}. Reconcile them one by one."
    )


_EXPECTED = (
    "is neither a summary, as LivePersonConversationsOperator returns it with a path, nor a manifest, nor the URL of "
    "one. Give the task's output itself (exports=export.output), also of mapped tasks."
)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
