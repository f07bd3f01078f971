"""Every value of a record is found in a table or in ``_extra``, and nothing else is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.tables.schema import TABLES
from airflow_provider_lp.tables.schema.column import Kind

from .built import build, tables_in

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: What each object of a record may hold, by its path; the schema is not asked, since it may be wrong.
MEMBERS = {
    "info": "status startTimeL endTimeL duration firstConversation csat mcs alertedMCS device latestSkillId features",
    "campaign": "campaignId campaignName lobId lobName behaviorSystemDefault",
    "monitoring": "country ipAddress device",
    "summary": "text lastUpdatedTime",
    "responseTime": "latestEffectiveResponseDueTime configuredResponseTime",
    "messageRecords": "messageId seq dialogId timeL type sentBy participantId audience messageData contextData",
    "messageData": "msg file richContent quickReplies",
    "msg": "text",
    "file": "relativePath fileType caption",
    "contextData": "rawMetadata structuredMetadata",
    "messageStatuses": "messageId seq timeL messageDeliveryStatus participantId",
    "messageScores": "messageId messageRawScore mcs timeL",
    "messageScore": "messageId mcs timeL",
    "agentParticipants": "agentId agentFullName agentDeleted userType timeL contextData",
    "agentParticipantsLeave": "agentId timeL",
    "agentParticipantsActive": "agentId timeL role",
    "consumerParticipants": "participantId firstName phone email timeL joinTimeL",
    "dialogs": "dialogId status startTimeL endTimeL skillId",
    "transfers": "timeL assignedAgentId targetSkillId reason by contextData",
    "interactions": "assignedAgentId agentLoginName interactionTimeL interactiveSequence",
    "conversationSurveys": "surveyType surveyId dialogId surveyData",
    "surveyData": "question answer questionId answerId isValidAnswer",
    "latestAgentSurvey": "surveyStatus surveyId lastUpdateTime submittedAnswers",
    "previouslySubmittedAgentSurveys": "surveyStatus acSurveyRevision submittedAnswers",
    "submittedAnswers": "questionId questionText answers",
    "answers": "answer answerId",
    "skillChanges": "timeL skillId",
    "coBrowseSessions": "coBrowseSessionsList",
    "coBrowseSessionsList": "sessionId startTimeL endTimeL isInteractive duration capabilities agentId",
    "sdes": "events",
    "unAuthSdes": "events",
    "events": "customerInfo sdeType serverTimeStamp",
    "customerInfo": "customerId serverTimeStamp originalTimeStamp",
    "intents": "messageId selectedClassification allClassifications",
    "selectedClassification": "intentName confidenceScore versions",
    "allClassifications": "intentName intentLabel confidenceScore versions",
    "versions": "modelName modelVersion",
}
OBJECTS = {
    "campaign",
    "monitoring",
    "summary",
    "responseTime",
    "latestAgentSurvey",
    "coBrowseSessions",
    "sdes",
    "unAuthSdes",
}
CONTAINERS = [
    "messageRecords", "messageStatuses", "messageScores", "messageScore", "agentParticipants",
    "agentParticipantsLeave", "agentParticipantsActive", "consumerParticipants", "dialogs", "transfers", "interactions",
    "conversationSurveys", "previouslySubmittedAgentSurveys", "skillChanges", "intents", "uniqueIntents", "pageView",
    *sorted(OBJECTS),
]  # fmt: skip
LISTS = {
    *CONTAINERS, "surveyData", "submittedAnswers", "answers", "coBrowseSessionsList", "events", "allClassifications",
    "versions",
} - OBJECTS  # fmt: skip


class Maker:
    """Makes records each of whose values is met only once, so that it can be looked for."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers = count(1_000_000)

    def record(self) -> dict[str, Any]:
        made: dict[str, Any] = {"info": self._object("info")}
        made["info"] |= {"conversationId": self._text(), "brandId": self._text()}
        for name in CONTAINERS:
            if self._random.random() < 0.4:
                made[name] = self._member(name)
        if self._random.random() < 0.2:
            made[self._text()] = self._anything()
        return made

    def _member(self, name: str) -> Any:
        if self._random.random() < 0.1:
            return self._anything()
        if name not in MEMBERS:
            return self._value(name)
        if name not in LISTS:
            return self._object(name)
        items: list[Any] = [self._object(name) for _ in range(self._random.randrange(4))]
        match self._random.randrange(8):
            case 0 if items:
                return items[0]
            case 1:
                return {name: items}
            case 2:
                return [*items, self._text(), None]
        return items

    def _object(self, name: str) -> dict[str, Any]:
        members = [member for member in MEMBERS[name].split() if self._random.random() < 0.7]
        made = {member: self._member(member) for member in members}
        for member in members:
            if member.endswith("TimeL") or member == "timeL":
                made |= self._times(member, made[member])
        if self._random.random() < 0.1:
            made[self._text()] = self._anything()
        return made

    def _times(self, member: str, value: Any) -> dict[str, Any]:
        """Beside the milliseconds of a moment, or in their place, its text."""
        text = (EPOCH + timedelta(milliseconds=next(self._numbers) * 1_000_000)).isoformat(sep=" ")
        match self._random.randrange(4):
            case 0:
                return {member: None, member[:-1]: text}
            case 1 if value == -1 or isinstance(value, list | dict):
                return {member[:-1]: text}
        return {}

    def _value(self, name: str) -> Any:
        if name in ("content", "rawMetadata"):
            return json.dumps({self._text(): self._text()}, indent=1)
        match self._random.randrange(8):
            case 0:
                return self._anything()
            case 1:
                return str(next(self._numbers))
            case 2 | 3:
                return next(self._numbers)
            case 4:
                return self._random.choice([None, -1, "undefined", "null", "NA", "0"])
        return self._text()

    def _anything(self) -> Any:
        match self._random.randrange(8):
            case 0:
                return next(self._numbers) + 0.25
            case 1:
                return {self._text(): self._text(), self._text(): [next(self._numbers)]}
            case 2:
                return [self._text(), next(self._numbers)]
            case 3:
                return 10**30 + next(self._numbers)
            case 4:
                return float(next(self._numbers))
            case 5:
                return [[self._text()], {self._text(): 1.5}]
        return self._text()

    def _text(self) -> str:
        return f"t{next(self._numbers)}"


#: What may say that there is no value.
WORDS = {"-1", "undefined", "null", "na", "0", "1.5"}


def leaves(value: Any) -> Iterator[str]:
    """The values that something holds, as text: a number and its digits are the same, and a moment and its text."""
    match value:
        case dict():
            for inner in value.values():
                yield from leaves(inner)
        case list():
            for inner in value:
                yield from leaves(inner)
        case None | bool():
            return
        case float() if value.is_integer():
            yield str(int(value))
        case datetime():
            yield str((value - EPOCH) // timedelta(milliseconds=1))
        case str() if value.startswith("{"):
            yield from leaves(json.loads(value))
        case str() if value.endswith("+00:00"):
            yield from leaves(datetime.fromisoformat(value))
        case _:
            yield str(value).lower()


def leaves_of_tables(folder: Path) -> Iterator[str]:
    for name, rows in tables_in(folder).items():
        kinds = {column.name: column.kind for column in TABLES[name].columns if column.member}
        for row in rows:
            for column, value in row.items():
                if column in ("_extra", "account_id", "conversation_id"):
                    yield from leaves(json.loads(value) if column == "_extra" and value else value)
                elif value is not None and column in kinds:
                    is_json = kinds[column] in (Kind.JSON, Kind.JSON_TEXT)
                    yield from leaves(json.loads(value) if is_json else value)


@settings(max_examples=15)
@given(st.integers(0, 1 << 32))
def test_every_value_is_kept_and_none_is_made_up(seed: int) -> None:
    maker = Maker(Random(seed))
    records = [maker.record() for _ in range(6)]
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder), records)
        found = set(leaves_of_tables(Path(folder)))
    assert built.conversations == 6
    sent = set(leaves(records))
    assert sent - found - WORDS == set()
    assert found - sent == set()
