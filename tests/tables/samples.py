"""One record of each documented shape, with every container that LivePerson documents; names and texts are invented."""

from __future__ import annotations

from typing import Any

#: 2026-01-31 12:00:00 UTC.
NOON = 1_769_860_800_000
CID = "11111111-2222-4333-8444-555555555555"


def at(seconds: float, name: str = "time") -> dict[str, Any]:
    """A moment after noon, as LivePerson writes it twice."""
    moment = NOON + round(seconds * 1000)
    minutes, rest = divmod(moment - NOON, 60_000)
    return {f"{name}L": moment, name: f"2026-01-31 12:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}+0000"}


def agent(number: int) -> dict[str, Any]:
    return {
        "agentId": f"30{number}", "agentLoginName": f"agent{number}@example.test", "agentNickname": f"Nick {number}",
        "agentFullName": f"Agent {number}", "agentDeleted": False, "role": "AGENT", "userType": "1",
        "userTypeName": "Human", "agentGroupId": -1, "agentGroupName": "Unassigned", "permission": "ASSIGNED_AGENT",
        "dialogId": CID,
    }  # fmt: skip


BOT = [{"botResponse": {"externalConversationId": "x1", "businessCases": ["orders"], "intents": [
    {"id": "i1", "name": "n1", "confidence": "high", "confidenceScore": 0.753},
]}}, {"actionReason": {"reason": "r"}}]  # fmt: skip
SURVEY = {
    "surveyStatus": "SUBMITTED", "statusReason": "PARTIALLY_SUBMITTED", "dialogId": CID, "surveyId": "s-1",
    "acSurveyId": "3592", "acSurveyName": "Not mandatory", "acSurveyRevision": 24, "surveySkillId": 77,
    "surveySkillName": "Skill C", "assignedAgentId": "301", "assignedAgentNickName": "Nick 1",
    "assignedAgentName": "Agent 1", "performedByAgentId": "302", "performedByAgentNickName": "Nick 2",
    "performedByAgentName": "Agent 2", "lastUpdateTime": NOON + 5000,
    "submittedAnswers": [
        {"questionText": "Solved?", "questionId": "q1", "questionDefinition": "REGULAR_QUESTION",
         "questionCategory": "FREE_TEXT", "answers": [
             {"answer": "yes", "answerId": "a1"}, {"answer": "no", "answerId": "a2"}]},
        {"questionText": "Why?", "questionId": "q2", "answers": []},
    ],
}  # fmt: skip

DOCUMENTED: dict[str, Any] = {
    "info": {
        **at(0, "startTime"), "endTime": "undefined", "endTimeL": -1, **at(600, "conversationEndTime"),
        **at(660, "fullDialogEndTime"), "duration": 600_000, "conversationId": CID, "brandId": "99990000",
        "latestAgentId": "301", "latestAgentNickname": "Nick 1", "latestAgentFullName": "Agent 1",
        "latestAgentLoginName": "agent1@example.test", "agentDeleted": False, "latestSkillId": -1,
        "latestSkillName": "Unassigned", "source": "APP", "closeReason": "AGENT",
        "closeReasonDescription": "MANUAL_CLOSE", "mcs": 67, "alertedMCS": -1, "status": "OPEN",
        "fullDialogStatus": "OPEN", "firstConversation": False, "csatRate": 5, "device": "undefined",
        "browser": "chrome", "operatingSystem": "NA", "latestAgentGroupId": -1, "latestAgentGroupName": "Unassigned",
        "latestQueueState": "ACTIVE", "isPartial": False, "pendingAgentSurvey": False, "features": ["A", "B"],
        "ipAddress": "192.0.2.1", "timeZone": "Europe/Berlin", "language": "de-DE",
    },
    "campaign": {
        "campaignEngagementId": "1", "campaignEngagementName": "E", "campaignId": "2", "campaignName": "C",
        "goalId": "3", "goalName": "G", "engagementAgentNote": "note", "engagementSource": "WEB_SITE",
        "visitorBehaviorId": "4", "visitorBehaviorName": "B", "engagementApplicationId": "5",
        "engagementApplicationName": "App", "engagementApplicationTypeId": "6",
        "engagementApplicationTypeName": "Mobile App", "visitorProfileId": "7", "visitorProfileName": "P",
        "lobId": 2389848512, "lobName": "NA", "LocationId": 9, "LocationName": "Entire site",
        "profileSystemDefault": True, "behaviorSystemDefault": "false",
    },
    "monitoring": {
        "country": "Germany", "countryCode": "DE", "state": "Berlin", "city": "Berlin", "isp": "I", "org": "O",
        "device": "NA", "ipAddress": "192.0.2.1", "browser": "Chrome", "operatingSystem": "WINDOWS",
        "conversationStartPage": "https://shop.example.test/", "conversationStartPageTitle": "Shop",
    },
    "messageRecords": [
        {"type": "TEXT_PLAIN", "messageData": {"msg": {"text": "null"}}, "messageId": "m0", "seq": 0, "dialogId": CID,
         "participantId": "consumer-1", "source": "undefined", **at(1), "device": "undefined", "audience": "ALL",
         "sentBy": "Consumer"},
        {"type": "RICH_CONTENT", "messageId": "m2", "seq": "2", "dialogId": "undefined", "participantId": 301, **at(2),
         "messageData": {"richContent": {"content": '{ "type": "vertical" }'}, "quickReplies": {"content": "{}"}},
         "sentBy": "Agent", "contextData": {"rawMetadata": '[{"type": "BotResponse"}]', "structuredMetadata": BOT}},
        {"type": "HOSTED_FILE", "messageId": "m3", "seq": 3, **at(3), "sentBy": "consumer", "messageData": {"file": {
            "relativePath": "a/b.jpg", "fileType": "JPG", "caption": "a photo", "preview": "aGVsbG8="}}},
        {"type": "LINK", "messageId": "m4", "seq": 4, **at(4), "sentBy": "Agent", "messageData": {"someLink": {
            "externalFileLink": "https://files.example.test/x.pdf", "fileType": "PDF", "caption": "a link"}}},
        {"type": "SECURE_FORM_INVITATION", "messageId": "m5", "seq": 5, **at(5), "sentBy": "Agent", "messageData": {
            "someForm": {"formId": "f1", "formName": "Card", "submissionId": "u1", "invitationId": "v1"}}},
    ],
    "messageStatuses": [
        {"messageId": "m0", "seq": 0, **at(1.5), "participantId": "301", "participantType": "Agent",
         "messageDeliveryStatus": "ACCEPT", "dialogId": CID},
        {"messageId": "m0", "seq": 0, **at(1.7), "participantId": "301", "participantType": "Agent",
         "messageDeliveryStatus": "READ", "dialogId": CID},
    ],
    "messageScore": [{"messageId": "m0", "messageRawScore": -20, "mcs": 50, **at(2)}],
    "agentParticipants": [{**agent(1), **at(0.5), "contextData": {"structuredMetadata": BOT}}],
    "agentParticipantsLeave": [{**agent(1), **at(90)}],
    "agentParticipantsActive": [{**agent(1), **at(80)}, {**agent(2), **at(81)}],
    "consumerParticipant": [{
        "participantId": "consumer-1", "firstName": "Visitor", "lastName": "Test", "token": "undefined",
        "email": "undefined", "phone": "0", "avatarURL": "undefined", **at(0), **at(0.2, "joinTime"),
        "consumerName": "Visitor", "dialogId": CID}],
    "transfers": [{
        **at(30), "assignedAgentId": "null", "targetSkillId": 2, "targetSkillName": "cats", "reason": "Skill",
        "by": "196875613", "sourceSkillId": -1, "sourceSkillName": "Unassigned", "sourceAgentId": "301",
        "sourceAgentFullName": "Agent 1", "sourceAgentLoginName": "agent1@example.test",
        "sourceAgentNickname": "Nick 1", "contextData": {}, "dialogId": CID}],
    "interactions": [{
        "assignedAgentId": "301", "assignedAgentFullName": "Agent 1", "assignedAgentLoginName": "agent1@example.test",
        "agentNickname": "Nick 1", **at(0.5, "interactionTime"), "interactiveSequence": 1, "dialogId": CID}],
    "dialogs": [{
        "dialogId": CID, "status": "OPEN", "dialogType": "MAIN", "dialogChannelType": "MESSAGING",
        **at(0, "startTime"), "endTime": "undefined", "closeReason": "AGENT", "closeReasonDescription": "",
        "skillId": 1234, "skillName": "skill3"}],
    "conversationSurveys": [{
        "surveyType": "Satisfaction", "surveyStatus": "FILLED", "dialogId": CID,
        "surveyData": [{"question": "Rate us", "answer": 5, "questionId": "q", "answerId": "InvalidAnswer",
                        "questionType": "csat", "questionFormat": "single", "answerSeq": "0", "isValidAnswer": "true"},
                       {"question": "Confirm Resolution", "answer": "Yes"}]}],
    "coBrowseSessions": {"coBrowseSessionsList": [{
        "sessionId": "b1", **at(40, "startTime"), **at(50, "endTime"), **at(42, "interactiveTime"),
        "endReason": "VISITOR", "duration": 10_000.0, "type": "inApp", "capabilities": ["AUDIO"], "agentId": "301",
        "interactive": True}]},
    "sdes": {"events": [
        {"customerInfo": {"serverTimeStamp": str(NOON), "originalTimeStamp": str(NOON - 1), "customerInfo": {
            "customerId": "c9", "balance": "-400.99"}}, "sdeType": "CUSTOMER_INFO", "serverTimeStamp": str(NOON)},
        {"cartStatus": {"total": 11.7, "serverTimeStamp": NOON, "products": []}, "sdeType": "CART_STATUS",
         "serverTimeStamp": NOON},
        {"cartStatus": {"total": 11.7, "serverTimeStamp": NOON, "products": []}, "sdeType": "CART_STATUS",
         "serverTimeStamp": NOON},
    ]},
    "unAuthSdes": {"events": [{
        "lead": {"lead": {"topic": "car", "value": None}, "serverTimeStamp": NOON + 1, "isAuthenticated": False},
        "sdeType": "LEAD", "isAuthenticated": False, "serverTimeStamp": NOON + 2}]},
    "summary": {"text": "all well", "lastUpdatedTime": NOON + 700_000},
    "responseTime": {"latestEffectiveResponseDueTime": -1, "configuredResponseTime": 3000},
    "intents": [
        {"messageId": "m0",
         "selectedClassification": {"intentName": "i1", "intentLabel": "L1", "confidenceScore": 1, "versions": [
             {"modelName": "sic", "modelVersion": "1.0"}, {"modelName": "tmo", "modelVersion": "1.1"}]},
         "allClassifications": [
             {"intentName": "i2", "intentLabel": "L2", "confidenceScore": 0.25, "versions": []},
             {"intentName": "i1", "intentLabel": "L1", "confidenceScore": 1, "versions": [
                 {"modelName": "sic", "modelVersion": "1.0"}, {"modelName": "tmo", "modelVersion": "1.1"}]}]},
        {"messageId": "m3", "selectedClassification": {"intentName": "i3", "confidenceScore": 0.5}},
    ],
    "uniqueIntents": [{"intentName": "i1", "intentLabel": "L1"}],
    "latestAgentSurvey": {**SURVEY, "surveyStatus": "CLOSED", "submittedAnswers": []},
    "previouslySubmittedAgentSurveys": [SURVEY],
    "skillChanges": [{**at(31), "newSkillId": 2}],
}  # fmt: skip
