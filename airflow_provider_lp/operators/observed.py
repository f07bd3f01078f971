"""An operator whose work the platform sees: stats, lineage, and a link to what it has published."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.compat import BaseOperator
from airflow_provider_lp.operators import lineage, links, stats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_lp.compat import Context, ObjectStoragePath, OperatorLineage
    from airflow_provider_lp.operators.lineage import Dataset
    from airflow_provider_lp.operators.output import Target

log = logging.getLogger(__name__)

#: What a summary counts that is a counter, too.
COUNTED = ("conversations", "rows")


class ObservedOperator(BaseOperator):
    """An operator whose work Airflow, and what hangs on it, sees."""

    #: Where a console shows what was published; empty if none does.
    console_url = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Replaced and never changed: a task that runs is a copy of that of its DAG.
        self._inputs: tuple[Dataset, ...] = ()
        self._outputs: tuple[Dataset, ...] = ()

    def count(self, **numbers: int) -> None:
        """
        Add numbers to Airflow's stats.

        :param numbers: by the counter's name without its prefix, see :mod:`airflow_provider_lp.operators.stats`.
        """
        with _harmless():
            stats.count(self.dag_id, self.task_id, **numbers)

    def announce(
        self,
        target: Target,
        summary: Mapping[str, Any],
        context: Context,
        *,
        counted: str,
        partitions: Collection[str] = (),
    ) -> Any:
        """
        Tell of the object that was published: log, asset events, stats, lineage, link.

        :param target: the object.
        :param summary: of the object.
        :param context: of the run.
        :param counted: the member of the summary that says how much was published.
        :param partitions: keys of the partitions of an asset that it is about; default none.
        :return: the summary, with the URL as its path.
        """
        extra = target.announce(summary, context, self.outlets, counted=counted, partitions=partitions)
        brought = {counted: summary[counted]} if counted in COUNTED else {}
        self.count(**brought, published_bytes=summary["bytes"])
        with _harmless():
            path = target.path
            self.has_written(
                lineage.of_storage(path.fs, path.path, path, rows=brought.get(counted), bytes=summary["bytes"])
            )
            self.link_to([path], context)
        return extra

    def has_read(self, *datasets: Dataset) -> None:
        """Remember what was read, and tell Airflow's collector of lineage."""
        self._inputs += datasets
        with _harmless():
            lineage.report_to_hooks(inputs=datasets)

    def has_written(self, *datasets: Dataset) -> None:
        """Remember what was written, likewise."""
        self._outputs += datasets
        with _harmless():
            lineage.report_to_hooks(outputs=datasets)

    def link_to(self, paths: Sequence[ObjectStoragePath], context: Context) -> None:
        """Let a link lead from the task to what it has published."""
        with _harmless():
            self.console_url = links.console_url(paths)
            links.keep(self.console_url, context)

    def get_openlineage_facets_on_complete(self, _task_instance: Any) -> OperatorLineage[Any, Any]:
        """What OpenLineage's provider asks for when the task has ended, where it is installed."""
        return lineage.as_openlineage(self._inputs, self._outputs)


@contextmanager
def _harmless() -> Iterator[None]:
    """Let the work not fail because somebody could not be told of it."""
    try:
        yield
    except Exception:
        log.warning("The task goes on, but Airflow could not be told of its stats, lineage or link:", exc_info=True)
