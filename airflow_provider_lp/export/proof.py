"""Proving exports: what the store has, and what LivePerson counts now, against what was exported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.completeness import PAUSES
from airflow_provider_lp.export.counts import EMPTY_ANSWERS
from airflow_provider_lp.export.exact_count import count_by_reading, exact_count, updated_since
from airflow_provider_lp.export.manifest import Exports, ObjectEntry
from airflow_provider_lp.export.parallel import in_parallel
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.export.reconciliation import CountCheck, Difference, at_midnights, gaps, misplaced
from airflow_provider_lp.export.stored import sha256_of, size_of
from airflow_provider_lp.export.stores import StoragePath
from airflow_provider_lp.retention import SURELY_KEPT
from airflow_provider_lp.windows import Window, floor_mark

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

log = logging.getLogger(__name__)

NOT_COVERED = "no export covers it"


class Countable(NamedTuple):
    """An exported object, and the search that counts its conversations."""

    entry: ObjectEntry
    query: ConversationQuery


@dataclass(frozen=True, slots=True)
class Proof:
    """
    How exports are proven.

    :param client: LivePerson.
    :param locate: finds an object in the store by its path.
    :param gap_path: where the export of a gap goes; ``None`` if that is not known.
    :param verify_checksums: whether objects are read.
    :param check_updates: whether what LivePerson has updated since the export is a difference.
    """

    client: LivePersonClient
    locate: Callable[[str], StoragePath]
    gap_path: Callable[[Window], str] | None = None
    verify_checksums: bool = False
    check_updates: bool = False

    def differences(self, exports: Exports, period: Window) -> list[Difference]:
        """
        What falls short, in order of time; each object at most once.

        :raises LivePersonError: by its kind, when LivePerson's answers are not usable.
        :raises OSError: when the store's are not.
        """
        found = [*misplaced(exports.objects, period), *self._gaps(exports, period)]
        in_store = self._in_store(exports.objects)
        found += in_store.values()
        sound = self._countable(exports, without=in_store)
        counted = self._counted(sound)
        found += counted.values()
        if self.check_updates:
            found += self._updated([each for each in sound if each.entry.path not in counted]).values()
        return sorted(found, key=lambda each: (each.window.start_ms, each.window.end_ms))

    def _gaps(self, exports: Exports, period: Window) -> Iterator[Difference]:
        written = {each.path for each in exports.objects}
        for gap in gaps((each.window for each in exports.objects), period):
            if self.gap_path is None:
                yield Difference(gap, None, NOT_COVERED)
                continue
            for day in at_midnights(gap):
                path = self.gap_path(day)
                if path in written:
                    raise LivePersonConfigurationError(
                        f"gap_path gives {path} for the gap {day}, which is the path of another window: its export "
                        "would replace that. Let {start} in gap_path tell them apart."
                    )
                written.add(path)
                yield Difference(day, path, NOT_COVERED)

    def _in_store(self, objects: Sequence[ObjectEntry]) -> dict[str, Difference]:
        """Where the object is not the one that was exported."""
        # Here and not in the threads: it may ask Airflow for a connection.
        located = [(each, self.locate(each.path)) for each in objects]
        return _different(objects, in_parallel(self.client, self._wrong_in_store, located))

    def _wrong_in_store(self, located: tuple[ObjectEntry, StoragePath]) -> str:
        entry, path = located
        try:
            size = size_of(path)
            if size is None:
                return "its object is gone"
            if size != entry.bytes:
                return f"its object has {size} bytes instead of {entry.bytes}"
            if self.verify_checksums and (sha256 := sha256_of(path)) != entry.sha256:
                return f"its object has the sha256 {sha256} instead of {entry.sha256}"
        except FileNotFoundError:
            return "its object is gone"
        return ""

    def _countable(self, exports: Exports, *, without: Container[str]) -> list[Countable]:
        """What LivePerson surely still keeps of the objects, but for those that are exported again anyway."""
        now = self.client.now
        kept = [each for each in exports.objects if each.window.start >= now - SURELY_KEPT]
        if len(kept) < len(exports.objects):
            log.warning(
                "%d windows begin before %s. LivePerson keeps conversations for 13 months, so they are not counted.",
                len(exports.objects) - len(kept),
                (now - SURELY_KEPT).date(),
            )
        return [
            Countable(each, exports.scope.query(each, now))
            for each in kept
            if exports.scope is not None and each.path not in without
        ]

    def _counted(self, countable: Sequence[Countable]) -> dict[str, Difference]:
        """Where LivePerson counts another number than it did."""
        checks = [CountCheck(each.entry.counted) for each in countable]
        undecided = list(zip(countable, checks, strict=True))
        for number, pause in enumerate(PAUSES):
            if undecided:
                self.client.wait(pause)
            count = partial(self._count, by_rows=number > 0)
            counts = in_parallel(self.client, count, [each for each, _ in undecided])
            for (_, check), answer in zip(undecided, counts, strict=True):
                check.answers.append(answer)
            undecided = [each for each in undecided if not each[1].is_decided]
        objects = [each.entry for each in countable]
        return _different(objects, ["" if check.agrees else check.reason for check in checks])

    def _count(self, countable: Countable, *, by_rows: bool) -> int:
        entry, query = countable
        is_aligned = all(floor_mark(bound) == bound for bound in (query.window.start_ms, query.window.end_ms))
        if entry.outside_bounds and not is_aligned:
            # LivePerson filters on another field than the one that tells neighbours' conversations.
            return count_by_reading(self.client, query)
        return exact_count(self.client, query, entry.counted, by_rows=by_rows)

    def _updated(self, countable: Sequence[Countable]) -> dict[str, Difference]:
        """Where LivePerson has updated conversations since they were exported."""
        numbers = {each.entry.path: 0 for each in countable}
        for pause in PAUSES[:EMPTY_ANSWERS]:
            without = [each for each in countable if not numbers[each.entry.path]]
            if without:
                self.client.wait(pause)
            counts = in_parallel(self.client, self._updates, without)
            numbers |= {each.entry.path: count for each, count in zip(without, counts, strict=True)}
        words = "{} of its conversations were updated since it was exported, or a few minutes before"
        reasons = [words.format(number) if number else "" for number in numbers.values()]
        return _different([each.entry for each in countable], reasons)

    def _updates(self, countable: Countable) -> int:
        return updated_since(self.client, countable.query, countable.entry.updates_missing_from)


def _different(objects: Sequence[ObjectEntry], reasons: Iterable[str]) -> dict[str, Difference]:
    """The objects about which something is wrong, by their paths."""
    return {
        each.path: Difference(each.window, each.path, reason)
        for each, reason in zip(objects, reasons, strict=True)
        if reason
    }
