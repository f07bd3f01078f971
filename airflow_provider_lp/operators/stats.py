"""What a task has cost and brought, as counters of Airflow's stats."""

from __future__ import annotations

from airflow_provider_lp import compat

#: Each counter, and what it counts; ``docs/platform.md`` prints this table.
COUNTERS = {
    "liveperson.requests": "HTTP requests to LivePerson, lookups and logins included",
    "liveperson.retries": "how many of these repeated an earlier one",
    "liveperson.throttled_ms": "milliseconds in which all requests of the task were held after a 429",
    "liveperson.received_bytes": "bytes of LivePerson's answers, decompressed",
    "liveperson.conversations": "conversations that were exported, looked up, or made tables of",
    "liveperson.rows": "rows of metrics, or of tables",
    "liveperson.published_bytes": "bytes of the objects that were published, compressed",
}


def count(dag_id: str, task_id: str, **numbers: int) -> None:
    """
    Add numbers to counters; with the task as tags, where what receives them takes tags.

    :param dag_id: the task's DAG.
    :param task_id: the task.
    :param numbers: by the counter's name without its prefix.
    """
    for name, number in numbers.items():
        counter = f"liveperson.{name}"
        if counter not in COUNTERS:
            raise KeyError(counter)
        compat.Stats.incr(counter, number, tags={"dag_id": dag_id, "task_id": task_id})


def as_markdown() -> str:
    """The counters as a table for people."""
    return "\n".join(
        ["| counter | counts |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in COUNTERS.items())]
    )
