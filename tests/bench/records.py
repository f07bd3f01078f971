"""Records of the size and shape that those of accounts have, one in four with personal data in its messages."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from .server import TEXTS

MESSAGES = 16
CHARACTERS = 450
CONSUMER, AGENT, DIALOG = "f92c9890-2c95-428b-8a32-083528620d31", "3677470410", "e5c58e49-e4a5-40a8-8a18-d6580d1d5630"
TIME = {"time": "2026-01-01 00:00:03.123+0000", "timeL": 1767225603123}
#: What stands in one record out of four.
PERSONAL = {2: " Write to testa.example+lp@example.com.", 4: " Or call me: +49 170 1234567."}
RICH = '{"type":"vertical","elements":[{"type":"text","text":"Choose \\u2728"},{"type":"button","title":"Yes"}]}'


def tails() -> tuple[bytes, ...]:
    """All of four records of 24 KB that follows their starts."""
    return (_tail(PERSONAL), *3 * [_tail({})])


def _tail(personal: Mapping[int, str]) -> bytes:
    info = {
        "startTime": TIME["time"],
        "endTime": TIME["time"],
        "endTimeL": TIME["timeL"],
        "conversationEndTime": TIME["time"],
        "conversationEndTimeL": TIME["timeL"],
        "fullDialogEndTime": TIME["time"],
        "fullDialogEndTimeL": TIME["timeL"],
        "duration": 600000,
        "brandId": "12345678",
        "latestAgentId": AGENT,
        "latestAgentNickname": "Agent One",
        "latestAgentFullName": "Agent One",
        "latestAgentLoginName": "agent.one@example.test",
        "agentDeleted": False,
        "latestSkillId": 1000000001,
        "latestSkillName": "Orders",
        "source": "SHARK",
        "closeReason": "AGENT",
        "closeReasonDescription": "MANUAL_CLOSE",
        "mcs": 50,
        "alertedMCS": 0,
        "fullDialogStatus": "CLOSE",
        "firstConversation": False,
        "device": "DESKTOP",
        "browser": "CHROME",
        "browserVersion": "140.0.0.0",
        "operatingSystem": "WINDOWS",
        "operatingSystemVersion": "10",
        "latestAgentGroupId": -1,
        "latestAgentGroupName": "Unassigned",
        "latestQueueState": "ACTIVE",
        "isPartial": False,
        "timeZone": "Europe/Berlin",
        "language": "de-DE",
        "integration": "WEB_SDK",
        "integrationVersion": "3.0.99",
        "ipAddress": "192.0.2.7",
    }
    agent = {
        "agentFullName": "Agent One",
        "agentNickname": "Agent One",
        "agentLoginName": "agent.one@example.test",
        "agentDeleted": False,
        "agentId": AGENT,
        "userType": "1",
        "userTypeName": "Human",
        "role": "AGENT",
        "agentGroupName": "Unassigned",
        "agentGroupId": -1,
        **TIME,
        "permission": "ASSIGNED_AGENT",
        "dialogId": DIALOG,
    }
    parts: dict[str, Any] = {
        "campaign": {
            "campaignEngagementId": "1",
            "campaignEngagementName": "Help",
            "campaignId": "2",
            "campaignName": "C",
            "goalId": "3",
            "goalName": "G",
            "engagementSource": "WEB_SITE",
            "lobId": 6,
            "lobName": "L",
        },
        "messageRecords": [_message(number, personal.get(number, "")) for number in range(MESSAGES)],
        "agentParticipants": [agent, agent],
        "agentParticipantsLeave": [agent],
        "agentParticipantsActive": [agent],
        "consumerParticipants": [
            {
                "participantId": CONSUMER,
                "firstName": "Testa",
                "lastName": "Example",
                "token": "t",
                "email": "testa.example@example.com",
                "phone": "+49 170 1234567",
                "avatarURL": "undefined",
                **TIME,
                "consumerName": "Testa",
                "dialogId": DIALOG,
            }
        ],
        "interactions": [
            {
                "assignedAgentId": AGENT,
                "assignedAgentFullName": "Agent One",
                "interactionTimeL": TIME["timeL"],
                "interactionTime": TIME["time"],
                "interactiveSequence": 1,
                "dialogId": DIALOG,
            }
        ],
        "messageScores": [
            {"messageId": f"ms::dialog:{DIALOG}::msg:{number}", "messageRawScore": 0, "mcs": 0, **TIME}
            for number in range(0, MESSAGES, 2)
        ],
        "messageStatuses": [
            {
                "messageId": f"ms::dialog:{DIALOG}::msg:{number // 2}",
                "seq": number // 2,
                **TIME,
                "participantId": CONSUMER if number // 2 % 2 else AGENT,
                "participantType": "Consumer" if number // 2 % 2 else "Agent",
                "messageDeliveryStatus": ("ACCEPT", "READ")[number % 2],
                "dialogId": DIALOG,
            }
            for number in range(2 * MESSAGES)
        ],
        "conversationSurveys": [],
        "sdes": {
            "events": [
                {
                    "customerInfo": {
                        "customerInfo": {"customerId": "C-0123456789", "userName": "testa"},
                        "serverTimeStamp": "1767225600000",
                        "originalTimeStamp": "1767225600000",
                    },
                    "serverTimeStamp": "1767225600000",
                    "sdeType": "CUSTOMER_INFO",
                }
            ]
        },
    }
    written = (
        json.dumps(info, separators=(",", ":"))[1:],
        json.dumps(parts, separators=(",", ":"), ensure_ascii=False)[1:],
    )
    return f",{written[0]},{written[1]}".encode()


def _message(number: int, more: str) -> dict[str, Any]:
    texts = random.Random(number)
    text = " ".join(texts.choice(TEXTS) for _ in range(CHARACTERS // 50)) + more
    data = {"richContent": {"content": RICH}} if number == 1 else {"msg": {"text": text}}
    return {
        "type": "RICH_CONTENT" if number == 1 else "TEXT_PLAIN",
        "messageData": data,
        "audience": "ALL",
        "seq": number,
        "messageId": f"ms::dialog:{DIALOG}::msg:{number}",
        "dialogId": DIALOG,
        "source": "SHARK",
        **TIME,
        "participantId": AGENT if number % 2 else CONSUMER,
        "sentBy": "Agent" if number % 2 else "Consumer",
    }
