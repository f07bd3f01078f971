"""The surveys of a conversation: the consumer's after the end, and the agent's own."""

from __future__ import annotations

from typing import Any

from airflow_provider_lp.sandbox import cast
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.moments import twins


def consumer_surveys(conversation: Conversation) -> list[dict[str, Any]]:
    """``conversationSurveys``; empty when none was answered."""
    given = [("csat", conversation.csat), ("nps", conversation.nps), ("fcr", conversation.fcr)]
    answers = [_answer(kind, str(value), seq) for seq, (kind, value) in enumerate(given, 1) if value is not None]
    if not answers:
        return []
    return [
        {
            "surveyType": "Satisfaction",
            "surveyStatus": "FILLED",
            "dialogId": survey_dialog_id(conversation),
            "surveyId": "8589934610",
            "surveyData": answers,
        }
    ]


def survey_dialog_id(conversation: Conversation) -> str:
    """The id of the dialog in which the survey ran."""
    return f"survey-{conversation.conversation_id}"


def dialogs(conversation: Conversation) -> list[dict[str, Any]]:
    """``dialogs``: the main one, whose id is the conversation's, and the survey's if it had one."""
    rows = [
        _dialog(conversation, conversation.conversation_id, "MAIN")
        | {"status": "CLOSE" if conversation.conversation_end_ms is not None else "OPEN"}
        | twins("startTime", conversation.start_ms)
        | twins("endTime", conversation.conversation_end_ms)
    ]
    if conversation.conversation_end_ms is not None and conversation.csat is not None:
        rows.append(
            _dialog(conversation, survey_dialog_id(conversation), "POST_SURVEY")
            | {"status": "CLOSE" if conversation.full_dialog_end_ms is not None else "OPEN"}
            | twins("startTime", conversation.conversation_end_ms)
            | twins("endTime", conversation.full_dialog_end_ms)
        )
    return rows


def agent_survey(conversation: Conversation) -> dict[str, Any]:
    """``latestAgentSurvey``."""
    agent = cast.agent_of(conversation.agent_ids[-1]) if conversation.agent_ids else None
    return {
        "surveyStatus": "SUBMITTED",
        "statusReason": "SUBMITTED",
        "dialogId": conversation.conversation_id,
        "surveyId": "as-1",
        "acSurveyId": "8589934611",
        "acSurveyName": "Sandbox agent survey",
        "acSurveyRevision": 3,
        "surveySkillId": conversation.skill_ids[-1],
        "surveySkillName": cast.skill_name(conversation.skill_ids[-1]),
        "assignedAgentId": agent.id if agent else "null",
        "assignedAgentName": agent.full_name if agent else "null",
        "lastUpdateTime": conversation.latest_update_ms,
        "submittedAnswers": [
            {"questionText": "Solved?", "questionId": "1", "answers": [{"answer": "yes", "answerId": "1"}]}
        ],
    }


def _answer(kind: str, answer: str, sequence: int) -> dict[str, Any]:
    return {
        "question": f"Sandbox question about {kind}",
        "questionId": f"q-{kind}",
        "questionType": kind,
        "questionFormat": "single",
        "answer": answer,
        "answerId": f"a-{kind}-{answer}",
        "answerSeq": str(sequence),
        "isValidAnswer": True,
    }


def _dialog(conversation: Conversation, dialog_id: str, kind: str) -> dict[str, Any]:
    return {
        "dialogId": dialog_id,
        "dialogType": kind,
        "dialogChannelType": "MESSAGING",
        "closeReason": conversation.close_reason,
        "closeReasonDescription": conversation.close_reason_description,
        "skillId": conversation.skill_ids[-1],
        "skillName": cast.skill_name(conversation.skill_ids[-1]),
    }
