"""That the schema is what the page says, and that its parts agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.export.redaction.rules import Rules
from airflow_provider_lp.tables.reference import as_markdown
from airflow_provider_lp.tables.schema import TABLES, Personal, Table, personal_paths

from .built import tables_of
from .samples import DOCUMENTED

PAGE = Path(__file__).parent.parent.parent / "docs" / "tables.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == as_markdown(), "python -m airflow_provider_lp.tables.reference > docs/tables.md"


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_names_are_plain_and_met_once(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalnum() and name == name.lower() for name in names)
    assert set(table.key) <= set(names)
    assert not {"account_id", "conversation_id", "_extra"} & set(names)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_member_is_read_into_one_column(table: Table) -> None:
    members = [member for column in table.columns for member in (column.member, *column.also) if member]
    assert len(set(members)) == len(members)


def test_personal_data_is_named_by_its_place_in_a_record() -> None:
    paths = personal_paths()
    assert paths["consumer_participants.email"] == ("consumerParticipants.*.email",)
    assert paths["conversations.ip_address"] == ("info.ipAddress",)
    assert paths["agent_surveys.assigned_agent_name"] == (
        "latestAgentSurvey.assignedAgentName",
        "previouslySubmittedAgentSurveys.*.assignedAgentName",
    )
    assert "agent_surveys.assigned_agent_name" not in personal_paths(Personal.CONSUMER, Personal.FREE_TEXT)
    assert all(paths.values())


def test_what_is_the_consumers_is_gone_from_tables_of_a_redacted_export(tmp_path: Path) -> None:
    consumers = personal_paths(Personal.CONSUMER)

    def values(record: Any) -> set[tuple[str, Any]]:
        tables = tables_of(tmp_path, record)
        columns = [name.split(".") for name in consumers]
        return {(f"{table}.{column}", row[column]) for table, column in columns for row in tables[table]}

    profile = {"firstName": "F", "lastName": "L", "email": "e@example.test", "phone": "12", "token": "t"}
    consumer = {**DOCUMENTED["consumerParticipant"][0], **profile, "avatarURL": "https://pictures.example.test/1"}
    record = {**DOCUMENTED, "consumerParticipants": [consumer]}
    del record["consumerParticipant"]
    # Of a participant that is an agent, the id stays.
    told = {(name, value) for name, value in values(record) if value not in (None, "301")}
    assert {name for name, _ in told} == set(consumers) - {"message_statuses.participant_id"}
    redacted = Redactor(Rules.checked("personal")).redact(msgspec.json.encode(record), "c")
    assert values(msgspec.json.decode(redacted.line)) & told == set()
