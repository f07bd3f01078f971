"""The tables of who took part, and of how a conversation passed from one to the other."""

from __future__ import annotations

from airflow_provider_lp.tables.schema.column import Column, Container, Kind, Personal, Table
from airflow_provider_lp.tables.schema.messages import DIALOG_ID, POSITION

TEXT, ID, INT, BOOL, TIME, JSON = Kind.TEXT, Kind.ID, Kind.INT, Kind.BOOL, Kind.TIME, Kind.JSON
CONSUMER, AGENT, FREE_TEXT = Personal.CONSUMER, Personal.AGENT, Personal.FREE_TEXT
UNDEFINED = ("undefined",)

AGENT_PARTICIPANTS = Table(
    "agent_participants",
    "an agent that joined, left or was active",
    ("event", "position"),
    (
        Column("event", TEXT, "", "`joined`, `left` or `active`: by LivePerson's list"),
        POSITION,
        Column("agent_id", ID, "agentId", "agent", AGENT),
        Column("agent_login_name", TEXT, "agentLoginName", "the agent's login", AGENT),
        Column("agent_nickname", TEXT, "agentNickname", "the agent's nickname", AGENT),
        Column("agent_full_name", TEXT, "agentFullName", "the agent's name", AGENT),
        Column("agent_deleted", BOOL, "agentDeleted", "whether the agent has been deleted"),
        Column("role", TEXT, "role", "such as `AGENT`, `MANAGER`"),
        Column("user_type", ID, "userType", "0 system, 1 human, 2 bot"),
        Column("user_type_name", TEXT, "userTypeName", "`System`, `Human` or `Bot`"),
        Column("agent_group_id", ID, "agentGroupId", "the agent's group"),
        Column("agent_group_name", TEXT, "agentGroupName", "its name"),
        Column("permission", TEXT, "permission", "such as `ASSIGNED_AGENT`, `READER`"),
        DIALOG_ID,
        Column("at", TIME, "timeL", "when"),
        Column("context", JSON, "contextData", "context that a bot gave", FREE_TEXT),
    ),
    (
        Container(("agentParticipants",), made={"event": "joined"}),
        Container(("agentParticipantsLeave",), made={"event": "left"}),
        Container(("agentParticipantsActive",), made={"event": "active"}),
    ),
)

CONSUMER_PARTICIPANTS = Table(
    "consumer_participants",
    "a consumer",
    ("position",),
    (
        POSITION,
        Column("participant_id", ID, "participantId", "consumer", CONSUMER),
        Column("first_name", TEXT, "firstName", "", CONSUMER, UNDEFINED),
        Column("last_name", TEXT, "lastName", "", CONSUMER, UNDEFINED),
        Column("email", TEXT, "email", "", CONSUMER, UNDEFINED),
        Column("phone", TEXT, "phone", "", CONSUMER, ("0", *UNDEFINED)),
        Column("token", TEXT, "token", "private identifier of the consumer", CONSUMER, UNDEFINED),
        Column("consumer_name", TEXT, "consumerName", "", CONSUMER, UNDEFINED),
        Column("avatar_url", TEXT, "avatarURL", "", CONSUMER, UNDEFINED),
        DIALOG_ID,
        Column("updated_at", TIME, "timeL", "when this was updated last"),
        Column("joined_at", TIME, "joinTimeL", "when the consumer joined"),
    ),
    (Container(("consumerParticipants", "consumerParticipant")),),
)

DIALOGS = Table(
    "dialogs",
    "a dialog: the conversation proper, or a survey",
    ("dialog_id",),
    (
        DIALOG_ID,
        Column("status", TEXT, "status", "`OPEN` or `CLOSE`"),
        Column("dialog_type", TEXT, "dialogType", "`MAIN` or `POST_SURVEY`"),
        Column("channel_type", TEXT, "dialogChannelType", "such as `MESSAGING`"),
        Column("close_reason", TEXT, "closeReason", "who closed it"),
        Column("close_reason_description", TEXT, "closeReasonDescription", "how it was closed"),
        Column("skill_id", ID, "skillId", "its skill"),
        Column("skill_name", TEXT, "skillName", "the skill's name"),
        Column("started_at", TIME, "startTimeL", "when it started"),
        Column("ended_at", TIME, "endTimeL", "when it ended"),
    ),
    (Container(("dialogs",)),),
)

TRANSFERS = Table(
    "transfers",
    "a transfer",
    ("position",),
    (
        POSITION,
        Column("at", TIME, "timeL", "when"),
        Column("reason", TEXT, "reason", "`back2Q`, `Agent`, `SuggestedAgentTimeout`, `Skill` or `TakeOver`"),
        Column("by", ID, "by", "who did it", AGENT),
        Column("source_skill_id", ID, "sourceSkillId", "from this skill"),
        Column("source_skill_name", TEXT, "sourceSkillName", "its name"),
        Column("source_agent_id", ID, "sourceAgentId", "from this agent", AGENT),
        Column("source_agent_login_name", TEXT, "sourceAgentLoginName", "the agent's login", AGENT),
        Column("source_agent_nickname", TEXT, "sourceAgentNickname", "the agent's nickname", AGENT),
        Column("source_agent_full_name", TEXT, "sourceAgentFullName", "the agent's name", AGENT),
        Column("target_skill_id", ID, "targetSkillId", "to this skill"),
        Column("target_skill_name", TEXT, "targetSkillName", "its name"),
        Column("assigned_agent_id", ID, "assignedAgentId", "to this agent; none if to a skill", AGENT, ("null",)),
        Column("assigned_agent_login_name", TEXT, "assignedAgentLoginName", "the agent's login", AGENT),
        Column("assigned_agent_nickname", TEXT, "assignedAgentNickname", "the agent's nickname", AGENT),
        Column("assigned_agent_full_name", TEXT, "assignedAgentFullName", "the agent's name", AGENT),
        DIALOG_ID,
        Column("context", JSON, "contextData", "context that a bot gave", FREE_TEXT),
    ),
    (Container(("transfers",)),),
)

ASSIGNMENTS = Table(
    "assignments",
    "an assignment of an agent: an entry of LivePerson's `interactions`",
    ("position",),
    (
        POSITION,
        Column("at", TIME, "interactionTimeL", "when"),
        Column("interactive_sequence", INT, "interactiveSequence", "LivePerson's number of it"),
        Column("agent_id", ID, "assignedAgentId", "agent", AGENT),
        Column("agent_login_name", TEXT, "assignedAgentLoginName", "its login", AGENT, also=("agentLoginName",)),
        Column("agent_nickname", TEXT, "assignedAgentNickname", "its nickname", AGENT, also=("agentNickname",)),
        Column("agent_full_name", TEXT, "assignedAgentFullName", "its name", AGENT, also=("agentFullName",)),
        DIALOG_ID,
    ),
    (Container(("interactions",)),),
)
