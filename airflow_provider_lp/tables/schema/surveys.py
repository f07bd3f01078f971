"""The tables of surveys: those that consumers answer, and those of agents."""

from __future__ import annotations

from airflow_provider_lp.tables.schema.column import Column, Container, Kind, Personal, Table
from airflow_provider_lp.tables.schema.messages import DIALOG_ID, POSITION

TEXT, ID, INT, BOOL, TIME = Kind.TEXT, Kind.ID, Kind.INT, Kind.BOOL, Kind.TIME
AGENT, FREE_TEXT = Personal.AGENT, Personal.FREE_TEXT

SURVEYS = Table(
    "surveys",
    "a survey after a conversation",
    ("position",),
    (
        POSITION,
        Column("survey_type", TEXT, "surveyType", "such as `CSAT`, `PostSurvey`, `Satisfaction`"),
        Column("survey_status", TEXT, "surveyStatus", "such as `FILLED`"),
        Column("survey_id", ID, "surveyId", "its id"),
        DIALOG_ID,
    ),
    (Container(("conversationSurveys",)),),
    elsewhere=("surveyData",),
)

SURVEY_ANSWERS = Table(
    "survey_answers",
    "an answer in a survey",
    ("survey_position", "position"),
    (
        Column("survey_position", INT, "", "`position` of the survey in `surveys`"),
        Column("position", INT, "", "place in the survey, from 0"),
        Column("survey_id", ID, "surveyId", "id of the survey"),
        Column("question_id", ID, "questionId", "question"),
        Column("question", TEXT, "question", "its text"),
        Column("answer_id", ID, "answerId", "answer; `InvalidAnswer` for one that is not valid"),
        Column("answer", TEXT, "answer", "its text", FREE_TEXT),
        Column("question_type", TEXT, "questionType", "`custom`, `csat`, `nps` or `fcr`"),
        Column("question_format", TEXT, "questionFormat", "`single` or `open`"),
        Column("answer_seq", ID, "answerSeq", "LivePerson's number of the answer"),
        Column("is_valid_answer", BOOL, "isValidAnswer", "whether the answer is valid"),
    ),
    within=("conversationSurveys.*.surveyData.*",),
)

AGENT_SURVEYS = Table(
    "agent_surveys",
    "a survey that an agent was to fill in",
    ("is_latest", "position"),
    (
        Column("is_latest", BOOL, "", "whether it is the latest; the others were submitted before"),
        POSITION,
        Column("survey_status", TEXT, "surveyStatus", "`OPEN`, `SUBMITTED`, `DISMISSED` or `CLOSED`"),
        Column("status_reason", TEXT, "statusReason", "such as `timeout`"),
        Column("survey_id", ID, "surveyId", "its id"),
        Column("ac_survey_id", ID, "acSurveyId", "form it was made from"),
        Column("ac_survey_name", TEXT, "acSurveyName", "name of that form"),
        Column("ac_survey_revision", ID, "acSurveyRevision", "revision of that form"),
        Column("survey_skill_id", ID, "surveySkillId", "skill"),
        Column("survey_skill_name", TEXT, "surveySkillName", "its name"),
        Column("assigned_agent_id", ID, "assignedAgentId", "agent it was for", AGENT),
        Column("assigned_agent_nickname", TEXT, "assignedAgentNickName", "the agent's nickname", AGENT),
        Column("assigned_agent_name", TEXT, "assignedAgentName", "the agent's name", AGENT),
        Column("performed_by_agent_id", ID, "performedByAgentId", "agent who acted; none if nobody did", AGENT),
        Column("performed_by_agent_nickname", TEXT, "performedByAgentNickName", "the agent's nickname", AGENT),
        Column("performed_by_agent_name", TEXT, "performedByAgentName", "the agent's name", AGENT),
        DIALOG_ID,
        Column("updated_at", TIME, "lastUpdateTime", "when it changed last"),
    ),
    (
        Container(("latestAgentSurvey",), made={"is_latest": True}, is_single=True),
        Container(("previouslySubmittedAgentSurveys",), made={"is_latest": False}),
    ),
    elsewhere=("submittedAnswers",),
)

AGENT_SURVEY_ANSWERS = Table(
    "agent_survey_answers",
    "an answer in an agent's survey; also a question without one, which has no `position`",
    ("is_latest", "survey_position", "question_position", "position"),
    (
        Column("is_latest", BOOL, "", "`is_latest` of the survey in `agent_surveys`"),
        Column("survey_position", INT, "", "`position` of the survey there"),
        Column("question_position", INT, "", "place of the question in the survey, from 0"),
        Column("position", INT, "", "place of the answer under the question, from 0"),
        Column("question_id", ID, "questionId", "question"),
        Column("question_text", TEXT, "questionText", "its text"),
        Column("question_definition", TEXT, "questionDefinition", "such as `REGULAR_QUESTION`"),
        Column("question_category", TEXT, "questionCategory", "such as `FREE_TEXT`, `NUMBER`"),
        Column("answer", TEXT, "answer", "the answer's text", FREE_TEXT, shown="answers.*.answer"),
        Column("answer_id", ID, "answerId", "answer", shown="answers.*.answerId"),
    ),
    within=("latestAgentSurvey.submittedAnswers.*", "previouslySubmittedAgentSurveys.*.submittedAnswers.*"),
)
