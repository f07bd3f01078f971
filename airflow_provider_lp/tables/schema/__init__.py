"""
The tables that are made of conversations: the one declaration of them.

From it come the columns of the files, how they are read from LivePerson's records, and the reference page.
"""

from __future__ import annotations

from airflow_provider_lp.tables.schema.column import Column, Personal, Table
from airflow_provider_lp.tables.schema.conversations import CONVERSATIONS
from airflow_provider_lp.tables.schema.events import COBROWSE_SESSIONS, SDES, SKILL_CHANGES
from airflow_provider_lp.tables.schema.messages import INTENTS, MESSAGE_SCORES, MESSAGE_STATUSES, MESSAGES
from airflow_provider_lp.tables.schema.participants import (
    AGENT_PARTICIPANTS,
    ASSIGNMENTS,
    CONSUMER_PARTICIPANTS,
    DIALOGS,
    TRANSFERS,
)
from airflow_provider_lp.tables.schema.surveys import AGENT_SURVEY_ANSWERS, AGENT_SURVEYS, SURVEY_ANSWERS, SURVEYS

#: Within a version, columns are only appended: before ``_extra``.
SCHEMA_VERSION = 1
ACCOUNT_ID = "account_id"
CONVERSATION_ID = "conversation_id"
#: Members that the schema does not know, and values that do not fit.
EXTRA = "_extra"

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CONVERSATIONS,
        MESSAGES,
        MESSAGE_STATUSES,
        MESSAGE_SCORES,
        AGENT_PARTICIPANTS,
        CONSUMER_PARTICIPANTS,
        DIALOGS,
        TRANSFERS,
        ASSIGNMENTS,
        SURVEYS,
        SURVEY_ANSWERS,
        AGENT_SURVEYS,
        AGENT_SURVEY_ANSWERS,
        SDES,
        INTENTS,
        COBROWSE_SESSIONS,
        SKILL_CHANGES,
    )
}
#: Members of a record that hold rows.
CONTAINERS = frozenset(name for table in TABLES.values() for each in table.containers for name in each.names)


def personal_paths(*kinds: Personal) -> dict[str, tuple[str, ...]]:
    """
    Where personal data is in a record, such as ``consumerParticipants.*.email``, by ``table.column``.

    :param kinds: of which kinds; default all.
    """
    wanted = kinds or tuple(kind for kind in Personal if kind is not Personal.NO)
    return {
        f"{table.name}.{column.name}": table.paths(column)
        for table in TABLES.values()
        for column in table.columns
        if column.personal in wanted
    }


__all__ = [
    "ACCOUNT_ID",
    "CONTAINERS",
    "CONVERSATION_ID",
    "EXTRA",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "Personal",
    "Table",
    "personal_paths",
]
