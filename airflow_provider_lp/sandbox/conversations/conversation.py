"""One conversation of the sandbox: the few facts that searches look at, and how they look at a given moment."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from airflow_provider_lp.sandbox.conversations import cast

CLOSE_REASONS = ("AGENT", "CONSUMER", "SYSTEM")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of one conversation. Moments are epoch milliseconds, UTC; ``None`` means "has not happened".

    Only the id and the start are required. ``end_ms=None`` is an open conversation; the two other ends default to
    ``end_ms`` and ``latest_update_ms`` to the latest moment known. An empty ``skill_ids``, ``agent_ids``,
    ``consumer_id``, ``message_count``, ``message_interval_ms`` or ``close_reason`` (one of ``CLOSE_REASONS``: who
    closes it) is filled from the id: arbitrary but stable.
    """

    conversation_id: str
    start_ms: int
    end_ms: int | None = None
    conversation_end_ms: int | None = None
    full_dialog_end_ms: int | None = None
    latest_update_ms: int = 0
    is_partial: bool = False
    status: str = ""
    skill_ids: tuple[int, ...] = ()
    agent_ids: tuple[str, ...] = ()
    reader_ids: tuple[str, ...] = ()
    manager_ids: tuple[str, ...] = ()
    agent_group_id: int = cast.UNASSIGNED
    consumer_id: str = ""
    csat: int | None = None
    nps: int | None = None
    fcr: str | None = None
    mcs: int = 50
    alerted_mcs: int = 0
    source: str = "APP"
    device: str = "NA"
    queue_state: str = "ACTIVE"
    message_count: int = 0
    message_interval_ms: int = 0
    close_reason: str = ""

    def __post_init__(self) -> None:
        self._default_ends()
        traits = zlib.crc32(self.conversation_id.encode())
        self._default("skill_ids", (cast.SKILLS[traits % len(cast.SKILLS)].id,))
        if self.queue_state == "ACTIVE":
            self._default("agent_ids", (cast.AGENTS[traits // 7 % len(cast.AGENTS)].id,))
        self._default("consumer_id", cast.consumer_id(traits // 11))
        self._default("close_reason", self._closer(traits // 17))
        self._default("message_count", 2 + traits // 13 % 12)
        self._default("message_interval_ms", self._even_interval())
        self._default("latest_update_ms", self._latest_known())
        self._default("status", "OPEN" if self.end_ms is None else "CLOSE")
        if self.close_reason not in CLOSE_REASONS:
            raise ValueError(f"close_reason must be one of {', '.join(CLOSE_REASONS)}")

    def _default(self, name: str, value: object) -> None:
        if not getattr(self, name):
            object.__setattr__(self, name, value)

    def _default_ends(self) -> None:
        if self.end_ms is not None:
            if self.conversation_end_ms is None:
                object.__setattr__(self, "conversation_end_ms", self.end_ms)
            if self.full_dialog_end_ms is None:
                object.__setattr__(self, "full_dialog_end_ms", self.end_ms)

    def _closer(self, trait: int) -> str:
        if not self.agent_ids:
            return CLOSE_REASONS[1 + trait % 2]
        return CLOSE_REASONS[(0, 0, 0, 1, 1, 2)[trait % 6]]

    def _even_interval(self) -> int:
        last_ms = self.conversation_end_ms or self.latest_update_ms or self.start_ms
        return max(1, (last_ms - self.start_ms) // max(1, self.message_count - 1))

    def _latest_known(self) -> int:
        moments = (self.start_ms, self.end_ms, self.conversation_end_ms, self.full_dialog_end_ms)
        return max(moment for moment in moments if moment is not None)

    @property
    def is_first(self) -> bool:
        """Whether it is the first that its consumer ever had: arbitrary but stable."""
        return self.mcs % 3 == 0

    @property
    def close_reason_description(self) -> str:
        """How it came to be closed, in LivePerson's words."""
        return "TIMEOUT" if self.close_reason == "SYSTEM" else "MANUAL_CLOSE"

    def message_ms(self, position: int) -> int:
        """The moment of the message at ``position`` (0 is the first, sent as the conversation starts)."""
        return self.start_ms + position * self.message_interval_ms

    def as_of(self, now_ms: int) -> Conversation | None:
        """This conversation as it looks at ``now_ms``; ``None`` while it has not started."""
        if self.start_ms > now_ms:
            return None
        if max(self.latest_update_ms, self._latest_known()) <= now_ms:
            return self
        return self._so_far(now_ms)

    def _so_far(self, now_ms: int) -> Conversation:
        def happened(moment: int | None) -> bool:
            return moment is not None and moment <= now_ms

        closed = happened(self.conversation_end_ms)
        surveyed = closed and happened(self.end_ms)
        messages = min(self.message_count, (now_ms - self.start_ms) // self.message_interval_ms + 1)
        known = (self.message_ms(messages - 1), self.conversation_end_ms, self.end_ms, self.full_dialog_end_ms)
        view = replace(
            self,
            end_ms=self.end_ms if surveyed else self.conversation_end_ms if closed else None,
            conversation_end_ms=self.conversation_end_ms if closed else None,
            latest_update_ms=max(moment for moment in known if moment is not None and moment <= now_ms),
            status="CLOSE" if closed else "OPEN",
            csat=self.csat if surveyed else None,
            nps=self.nps if surveyed else None,
            fcr=self.fcr if surveyed else None,
            message_count=messages,
        )
        if not happened(self.full_dialog_end_ms):
            object.__setattr__(view, "full_dialog_end_ms", None)
        return view
