"""The members of a conversation record that LivePerson documents, or sends, and what kind of value each has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any


class Kind(Enum):
    """
    What a member holds.

    TEXT is what people, bots and websites write, CODE an id, a word or a number of LivePerson's own, TIME a moment as
    text, AGENT a name of an agent's, and WHO the id of whoever did something: an agent or the consumer.
    """

    TEXT = "text"
    CODE = "code"
    TIME = "time"
    AGENT = "agent"
    WHO = "who"


TEXT, CODE, TIME, AGENT, WHO = Kind

_AGENT_NAMES = "agentLoginName agentNickname agentFullName"
_ASSIGNED_NAMES = "assignedAgentLoginName assignedAgentNickname assignedAgentFullName"

_CONTEXT: dict[Kind | str, Any] = {
    TEXT: "rawMetadata",
    "structuredMetadata": [
        {
            "botResponse": {
                CODE: "externalConversationId",
                "businessCases": [TEXT],
                "intents": [{CODE: "id confidence confidenceScore", TEXT: "name"}],
            },
            "actionReason": {TEXT: "reason reasonId"},
        }
    ],
}
_AGENT_PARTICIPANTS: list[dict[Kind | str, Any]] = [
    {
        CODE: "agentId agentPid agentDeleted timeL role userType userTypeName agentGroupId permission dialogId",
        TIME: "time",
        AGENT: _AGENT_NAMES,
        TEXT: "agentGroupName",
        "contextData": _CONTEXT,
    }
]
_CLASSIFICATION: dict[Kind | str, Any] = {
    CODE: "intentName confidenceScore",
    TEXT: "intentLabel",
    "versions": [{CODE: "modelVersion", TEXT: "modelName"}],
}
_AGENT_SURVEY: dict[Kind | str, Any] = {
    CODE: "surveyStatus statusReason dialogId surveyId acSurveyId acSurveyRevision surveySkillId assignedAgentId "
    "performedByAgentId lastUpdateTime",
    AGENT: "assignedAgentNickName assignedAgentName performedByAgentNickName performedByAgentName",
    TEXT: "acSurveyName surveySkillName",
    "submittedAnswers": [
        {
            CODE: "questionId",
            TEXT: "questionText questionDefinition questionCategory",
            "answers": [{CODE: "answerId", TEXT: "answer"}],
        }
    ],
}
_STAMPS: dict[Kind | str, Any] = {CODE: "serverTimeStamp originalTimeStamp"}
_DATE = {TEXT: "year month day"}
_PRODUCTS = [{TEXT: "quantity", "product": {TEXT: "name category sku price"}}]
_CART: dict[Kind | str, Any] = {TEXT: "total currency numItems", "products": _PRODUCTS}


def _event(name: str, payload: dict[Kind | str, Any]) -> dict[Kind | str, Any]:
    """An event whose payload is nested once more under the same name."""
    return {**_STAMPS, name: payload}


#: All of the payloads is what websites write.
_EVENTS: dict[Kind | str, Any] = {
    "events": [
        {
            CODE: "sdeType serverTimeStamp isAuthenticated",
            "customerInfo": _event(
                "customerInfo",
                {
                    TEXT: "customerStatus customerType customerId socialId imei userName accountName role "
                    "companyBranch storeZipCode storeNumber balance currency companySize loginStatus",
                    "lastPaymentDate": _DATE,
                    "registrationDate": _DATE,
                },
            ),
            "personalInfo": _event(
                "personalInfo",
                {
                    TEXT: "name surname gender company customerAge language email phone",
                    "contacts": [{"personalContact": {TEXT: "email phone phoneType address preferredContactMethod"}}],
                },
            ),
            "marketingCampaignInfo": _event("marketingCampaignInfo", {TEXT: "originatingChannel campaignId affiliate"}),
            "visitorError": _event("visitorError", {TEXT: "contextId message code level resolved"}),
            "lead": _event("lead", {TEXT: "topic leadId value currency"}),
            "serviceActivity": _event("serviceActivity", {TEXT: "topic category serviceId status"}),
            "cartStatus": {**_STAMPS, **_CART},
            "purchase": {**_STAMPS, TEXT: "orderId total currency", "cart": _CART},
            "viewedProduct": {
                **_STAMPS,
                TEXT: "statusInStock currency quantity quantityInStock",
                "products": _PRODUCTS,
                "product": _PRODUCTS[0]["product"],
            },
            "searchContent": {**_STAMPS, "keywords": [TEXT]},
            "userUpdate": {**_STAMPS, TEXT: "userProfile"},
        }
    ]
}

#: A list stands for rows. What stands beside a kind are names of members of that kind.
RECORD: dict[Kind | str, Any] = {
    "info": {
        CODE: "conversationId brandId status fullDialogStatus startTimeL endTimeL conversationEndTimeL "
        "fullDialogEndTimeL duration firstConversation csat csatRate mcs alertedMCS latestSkillId latestAgentId "
        "agentDeleted latestAgentGroupId latestQueueState isPartial sessionId interactionContextId language wasStepUp "
        "pendingAgentSurvey firstIntentName latestHandlerAccountId latestHandlerSkillId visitorId",
        TIME: "startTime endTime conversationEndTime fullDialogEndTime",
        AGENT: "latestAgentLoginName latestAgentNickname latestAgentFullName",
        TEXT: "closeReason closeReasonDescription source device deviceModel browser browserVersion operatingSystem "
        "operatingSystemVersion timeZone integration integrationVersion appId appVersion ipAddress latestSkillName "
        "latestAgentGroupName firstIntentLabel",
        "features": [CODE],
    },
    "campaign": {
        CODE: "campaignEngagementId campaignId goalId visitorBehaviorId visitorProfileId engagementApplicationId "
        "engagementApplicationTypeId engagementSource lobId locationId behaviorSystemDefault profileSystemDefault",
        TEXT: "campaignEngagementName campaignName goalName visitorBehaviorName visitorProfileName engagementAgentNote "
        "engagementApplicationName engagementApplicationTypeName lobName locationName",
    },
    "monitoring": {
        CODE: "countryCode device",
        TEXT: "operatingSystem country state city isp org ipAddress browser conversationStartPage "
        "conversationStartPageTitle",
    },
    "messageRecords": [
        {
            CODE: "messageId seq dialogId timeL type sentBy audience source device integrationSource "
            "predefinedContent predefinedContentId predefinedContentCategoryId predefinedContentEdited",
            TIME: "time",
            WHO: "participantId",
            "messageData": {
                "msg": {TEXT: "text"},
                "file": {CODE: "fileType", TEXT: "relativePath caption preview"},
                "link": {CODE: "fileType", TEXT: "externalFileLink caption"},
                "secureForm": {CODE: "formId submissionId invitationId", TEXT: "formName"},
                "richContent": {TEXT: "content"},
                "quickReplies": {TEXT: "content"},
            },
            "contextData": _CONTEXT,
        }
    ],
    "messageStatuses": [
        {
            CODE: "messageId seq timeL messageDeliveryStatus participantType dialogId",
            TIME: "time",
            WHO: "participantId",
        }
    ],
    "messageScores": [{CODE: "messageId messageRawScore mcs timeL", TIME: "time"}],
    "agentParticipants": _AGENT_PARTICIPANTS,
    "agentParticipantsLeave": _AGENT_PARTICIPANTS,
    "agentParticipantsActive": _AGENT_PARTICIPANTS,
    "consumerParticipants": [
        {
            CODE: "timeL joinTimeL dialogId",
            TIME: "time joinTime",
            WHO: "participantId",
            TEXT: "firstName lastName email phone token avatarURL consumerName",
        }
    ],
    "transfers": [
        {
            CODE: "timeL assignedAgentId targetSkillId sourceSkillId sourceAgentId reason dialogId",
            TIME: "time",
            WHO: "by",
            AGENT: f"{_ASSIGNED_NAMES} sourceAgentLoginName sourceAgentNickname sourceAgentFullName",
            TEXT: "targetSkillName sourceSkillName",
            "contextData": _CONTEXT,
        }
    ],
    "interactions": [
        {
            CODE: "assignedAgentId interactionTimeL interactiveSequence dialogId",
            TIME: "interactionTime",
            AGENT: f"{_AGENT_NAMES} {_ASSIGNED_NAMES}",
        }
    ],
    "dialogs": [
        {
            CODE: "dialogId status dialogType dialogChannelType startTimeL endTimeL skillId",
            TIME: "startTime endTime",
            TEXT: "skillName closeReason closeReasonDescription",
        }
    ],
    "conversationSurveys": [
        {
            CODE: "surveyType surveyStatus dialogId surveyId",
            "surveyData": [
                {
                    CODE: "questionId answerId questionType questionFormat answerSeq isValidAnswer",
                    TEXT: "question answer",
                }
            ],
        }
    ],
    "coBrowseSessions": {
        "coBrowseSessionsList": [
            {
                CODE: "sessionId startTimeL endTimeL interactiveTimeL isInteractive interactive duration type agentId",
                TIME: "startTime endTime interactiveTime",
                TEXT: "endReason",
                "capabilities": [CODE],
            }
        ]
    },
    "summary": {CODE: "lastUpdatedTime", TEXT: "text"},
    "responseTime": {CODE: "latestEffectiveResponseDueTime configuredResponseTime"},
    "intents": [
        {CODE: "messageId", "selectedClassification": _CLASSIFICATION, "allClassifications": [_CLASSIFICATION]}
    ],
    "uniqueIntents": [{CODE: "intentName", TEXT: "intentLabel"}],
    "latestAgentSurvey": _AGENT_SURVEY,
    "previouslySubmittedAgentSurveys": [_AGENT_SURVEY],
    "sdes": _EVENTS,
    "unAuthSdes": _EVENTS,
    "skillChanges": [{}],
    "pageView": [{CODE: "visitTime", TEXT: "page title referrer", "sections": [TEXT]}],
}

#: Other spellings of members that are met, in lower case, and what they are the same as.
OTHER_SPELLINGS: Mapping[str, str] = {
    "consumerparticipant": "consumerparticipants",
    "messagescore": "messagescores",
    "messagesrecords": "messagerecords",
    "pageviews": "pageview",
}


def folded(name: str) -> str:
    """A member's name as names are compared: LivePerson's case varies."""
    lower = name.casefold()
    return OTHER_SPELLINGS.get(lower, lower)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """
    A documented member.

    :param path: from the record to it; ``*`` stands for the rows of a list.
    :param kind: what it holds; ``None`` for an object or a list of them.
    :param members: its own, by their folded names.
    """

    path: str
    kind: Kind | None
    members: dict[str, Member] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> Member | None:
        """The member of this folded name. One in which an object stands once more under its own name is the same."""
        found = self.members.get(name)
        return self if found is None and self.members and name == folded(self.name) else found

    @property
    def is_list(self) -> bool:
        """Whether it holds a list."""
        return self.path.endswith(".*")

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.removesuffix(".*").rpartition(".")[2]

    def walk(self) -> Iterator[Member]:
        """All members below this one."""
        for member in self.members.values():
            yield member
            yield from member.walk()


@cache
def documented() -> Member:
    """The record itself, with all of its members."""
    return _member("", RECORD)


def _member(path: str, declared: Any) -> Member:
    if isinstance(declared, list):
        return _member(f"{path}.*", declared[0])
    if isinstance(declared, Kind):
        return Member(path, declared)
    members: dict[str, Member] = {}
    for name, value in declared.items():
        if isinstance(name, Kind):
            members.update((folded(each), Member(_below(path, each), name)) for each in value.split())
        else:
            members[folded(name)] = _member(_below(path, name), value)
    return Member(path, None, members)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
