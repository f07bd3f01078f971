"""The preset and the tables name the same members as personal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.export.redaction.members import Kind, documented, folded
from airflow_provider_lp.export.redaction.paths import members_on
from airflow_provider_lp.export.redaction.preset import CONSUMER_ID, PERSONAL, PRESETS
from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.export.redaction.rules import Rules
from airflow_provider_lp.tables.schema import TABLES, Personal, personal_paths

PRESET = PRESETS[PERSONAL]
KEYED = Redactor(Rules.checked({"preset": PERSONAL, "key_conn_id": "key"}), key="secret")
DROPPING = Redactor(Rules.checked(PERSONAL))
PRIVACY = Path(__file__).parents[3] / "docs" / "privacy.md"
#: Columns that tell of consumers and stay, for reasons that `docs/privacy.md` gives.
STAYING = {
    "conversations.session_id": "joins what was recorded of a visit, and names nobody",
    "conversations.interaction_context_id": "the same, within a session",
    "conversations.monitoring_state": "reports by region need it",
    "conversations.monitoring_city": "the same",
    "conversations.monitoring_conversation_start_page": "reports by page need it; patterns are masked in it",
}


def record_with(path: str, value: Any) -> dict[str, Any]:
    """A record with a value in one place."""
    made = value
    for part in reversed(path.split(".")):
        # Below an event, any member is its payload.
        made = [made] if part == "*" and not isinstance(made, str) else {"customerInfo" if part == "*" else part: made}
    return {**made, "info": {"conversationId": "c", **made.get("info", {})}}


def is_gone(path: str, value: str, redactor: Redactor) -> bool:
    """Whether a value that stands in this place alone is not there any more."""
    raw = json.dumps(record_with(path, value), separators=(",", ":")).encode()
    assert value.encode() in raw
    return value.encode() not in redactor.redact(raw, "c").line


@pytest.mark.parametrize("redactor", [KEYED, DROPPING], ids=["pseudonymised", "dropped"])
def test_every_personal_column_is_taken_out_or_stays_for_a_reason(redactor: Redactor) -> None:
    for column, paths in personal_paths(Personal.CONSUMER).items():
        assert [path for path in paths if not is_gone(path, "Anneliese-Muster", redactor)] == [], column
    for column, paths in personal_paths(Personal.FREE_TEXT, Personal.INDIRECT).items():
        assert [path for path in paths if not is_gone(path, "anneliese@x.org", redactor)] == [], column
    staying = {
        column
        for column, paths in personal_paths(Personal.INDIRECT).items()
        if not all(is_gone(path, "Anneliese-Muster", redactor) for path in paths)
    }
    assert staying == set(STAYING)
    for column, paths in personal_paths(Personal.AGENT).items():
        # Agents stay unless they are named.
        assert not any(is_gone(path, "Anneliese", redactor) for path in paths if "*.*" not in path), column


def test_every_member_of_the_preset_that_reaches_tables_is_personal_there() -> None:
    columns = {path: column for table in TABLES.values() for column in table.columns for path in table.paths(column)}
    named = [path for path in (*PRESET.drop, *PRESET.ids) if path != CONSUMER_ID]
    reached = {}
    for path, members in zip(named, members_on([path.split(".") for path in named]), strict=True):
        for member in members:
            for shown, column in columns.items():
                pattern = re.escape(shown).replace(r"\*", r"[^.]+")
                if re.fullmatch(rf"{pattern}(\..*)?", member.path):
                    reached[member.path] = (path, column.personal)
    assert {"info.ipAddress", "monitoring.ipAddress", "consumerParticipants.*.email"} < set(reached)
    assert any(path.startswith("sdes.events.*.customerInfo") for path in reached)
    assert {
        path for path, (_, personal) in reached.items() if personal not in (Personal.CONSUMER, Personal.FREE_TEXT)
    } == set()


def test_the_page_says_what_stays_and_how_to_name_agents() -> None:
    page = PRIVACY.read_text()
    asked = {folded(name) for name in re.findall(r'"\*\*\.(\w+)"', page)}
    assert asked == {folded(member.name) for member in documented().walk() if member.kind is Kind.AGENT}
    for column in STAYING:
        table, _, name = column.partition(".")
        (member,) = (each.member for each in TABLES[table].columns if each.name == name)
        assert f"`{member}`" in page, column
