"""The tables of what happened around a conversation: attributes, co-browsing, changes of skill."""

from __future__ import annotations

from airflow_provider_lp.tables.schema.column import Column, Container, Kind, Personal, Table
from airflow_provider_lp.tables.schema.messages import POSITION

TEXT, ID, INT, BOOL, TIME, JSON = Kind.TEXT, Kind.ID, Kind.INT, Kind.BOOL, Kind.TIME, Kind.JSON

SDES = Table(
    "sdes",
    "an engagement attribute event; exact repetitions of one are one row",
    ("is_authenticated", "position"),
    (
        POSITION,
        Column("kind", TEXT, "", "LivePerson's name of what it holds, such as `customerInfo`"),
        Column("sde_type", TEXT, "sdeType", "the same as a constant, such as `CUSTOMER_INFO`"),
        Column("is_authenticated", BOOL, "", "whether the visitor was logged in: `sdes`, or `unAuthSdes`"),
        Column("server_at", TIME, "serverTimeStamp", "when it was processed"),
        Column("original_at", TIME, "originalTimeStamp", "when it was created", shown="*.originalTimeStamp"),
        Column("payload", JSON, "payload", "the attributes, by LivePerson's names", Personal.FREE_TEXT, shown="*"),
    ),
    (
        Container(("sdes", "SDEs"), "events", {"is_authenticated": True}),
        Container(("unAuthSdes",), "events", {"is_authenticated": False}),
    ),
)

COBROWSE_SESSIONS = Table(
    "cobrowse_sessions",
    "a session in which agent and consumer browsed together",
    ("position",),
    (
        POSITION,
        Column("session_id", TEXT, "sessionId", "its id"),
        Column("agent_id", ID, "agentId", "agent", Personal.AGENT),
        Column("type", TEXT, "type", "`inApp` or `web`"),
        Column("end_reason", TEXT, "endReason", "who or what ended it"),
        Column("started_at", TIME, "startTimeL", "when it started"),
        Column("ended_at", TIME, "endTimeL", "when it ended"),
        Column("interactive_at", TIME, "interactiveTimeL", "when it became interactive"),
        Column("is_interactive", BOOL, "isInteractive", "whether it was interactive", also=("interactive",)),
        Column("duration_ms", INT, "duration", "its length"),
        Column("capabilities", Kind.TEXTS, "capabilities", "what it could do"),
    ),
    (Container(("coBrowseSessions",), "coBrowseSessionsList"),),
)

SKILL_CHANGES = Table(
    "skill_changes",
    "a change of skill; LivePerson documents no shape of it",
    ("position",),
    (
        POSITION,
        Column("at", TIME, "timeL", "when"),
        Column("payload", JSON, "payload", "all else that LivePerson sends of it", Personal.AGENT, shown="*"),
    ),
    (Container(("skillChanges",)),),
)
