"""What tests of reconciling share: three days of conversations, their exports, and calls of the operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.reconciling import LivePersonReconcileOperator
from airflow_provider_lp.sandbox import Conversation
from tests.samples import at

DAYS = (8, 9, 10)
#: From the first of these days up to the last.
PERIOD = {"start": "2026-03-08T00:00:00+00:00", "end": "2026-03-11T00:00:00+00:00"}


def moment(of_ms: int) -> str:
    return datetime.fromtimestamp(of_ms / 1000, UTC).isoformat()


def three_days() -> list[Conversation]:
    """Some of each day, its first moment and its last included."""
    return [
        Conversation(f"d{day}-{number}", start, end_ms=start, message_count=2)
        for day in DAYS
        for number, start in enumerate((at(day), at(day, 10), at(day, 12), at(day + 1) - 1))
    ]


def without(conversations: Sequence[Conversation], conversation_id: str) -> list[Conversation]:
    assert conversation_id in {each.conversation_id for each in conversations}
    return [each for each in conversations if each.conversation_id != conversation_id]


def export(path: Path | str, start_ms: int, end_ms: int, **arguments: Any) -> dict[str, Any]:
    return export_window({"start": moment(start_ms), "end": moment(end_ms), "path": str(path)}, **arguments)


def export_window(window: dict[str, str], **arguments: Any) -> dict[str, Any]:
    made = LivePersonConversationsOperator(task_id="export", **window, **arguments)
    summary: dict[str, Any] = made.execute({})  # type: ignore[arg-type]
    return summary


def export_days(folder: Path, days: Iterable[int] = DAYS, **arguments: Any) -> list[dict[str, Any]]:
    return [export(folder / f"{day}.ndjson.gz", at(day), at(day + 1), **arguments) for day in days]


def reconcile(exports: Any, context: Any = None, **arguments: Any) -> Any:
    made = LivePersonReconcileOperator(task_id="reconcile", exports=exports, **arguments)
    return made.execute({} if context is None else context)


def changed(exports: Any, **arguments: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = reconcile(exports, on_difference="return", **arguments)
    return found


def window_of(summary: dict[str, Any]) -> dict[str, str]:
    """The arguments by which it is exported again."""
    return {"start": summary["window"]["start"], "end": summary["window"]["end"], "path": summary["path"]}
