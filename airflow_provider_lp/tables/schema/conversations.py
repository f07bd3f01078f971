"""The table of conversations: what a record says once."""

from __future__ import annotations

from airflow_provider_lp.tables.schema.column import Column, Kind, Personal, Table

TEXT, ID, INT, DOUBLE, BOOL, TIME, JSON = (
    Kind.TEXT, Kind.ID, Kind.INT, Kind.DOUBLE, Kind.BOOL, Kind.TIME, Kind.JSON,
)  # fmt: skip
CONSUMER, INDIRECT, AGENT, FREE_TEXT = Personal.CONSUMER, Personal.INDIRECT, Personal.AGENT, Personal.FREE_TEXT

INFO = (
    Column("status", TEXT, "info.status", "`OPEN` or `CLOSE`"),
    Column("full_dialog_status", TEXT, "info.fullDialogStatus", "the same, its survey included"),
    Column("started_at", TIME, "info.startTimeL", "when it started"),
    Column("ended_at", TIME, "info.endTimeL", "when it ended; moves once more when its survey ends"),
    Column("conversation_ended_at", TIME, "info.conversationEndTimeL", "when it was closed, whatever its survey"),
    Column("full_dialog_ended_at", TIME, "info.fullDialogEndTimeL", "when it ended, its survey included"),
    Column("duration_ms", INT, "info.duration", "its length; of an open one, up to the export"),
    Column("close_reason", TEXT, "info.closeReason", "who closed it"),
    Column("close_reason_description", TEXT, "info.closeReasonDescription", "how it was closed"),
    Column("is_first", BOOL, "info.firstConversation", "whether it is the consumer's first"),
    Column("csat", DOUBLE, "info.csat", "satisfaction, 1 to 5", also=("info.csatRate",)),
    Column("mcs", INT, "info.mcs", "Meaningful Conversation Score, 0 to 100"),
    Column("alerted_mcs", INT, "info.alertedMCS", "-1 negative, 0 neutral, 1 positive"),
    Column("source", TEXT, "info.source", "channel, such as `APP`; `SHARK` is the web"),
    Column("device", TEXT, "info.device", "kind of device", none=("undefined", "NA")),
    Column("device_model", TEXT, "info.deviceModel", "model of the mobile device"),
    Column("browser", TEXT, "info.browser", "browser, or application it runs in"),
    Column("browser_version", TEXT, "info.browserVersion", "version of it"),
    Column("operating_system", TEXT, "info.operatingSystem", "operating system", none=("NA",)),
    Column("operating_system_version", TEXT, "info.operatingSystemVersion", "version of it"),
    Column("latest_skill_id", ID, "info.latestSkillId", "skill it was routed to last"),
    Column("latest_skill_name", TEXT, "info.latestSkillName", "its name"),
    Column("latest_agent_id", ID, "info.latestAgentId", "agent it was assigned to last", AGENT),
    Column("latest_agent_login_name", TEXT, "info.latestAgentLoginName", "the agent's login", AGENT),
    Column("latest_agent_nickname", TEXT, "info.latestAgentNickname", "the agent's nickname", AGENT),
    Column("latest_agent_full_name", TEXT, "info.latestAgentFullName", "the agent's name", AGENT),
    Column("agent_deleted", BOOL, "info.agentDeleted", "whether that agent has been deleted"),
    Column("latest_agent_group_id", ID, "info.latestAgentGroupId", "group of that agent"),
    Column("latest_agent_group_name", TEXT, "info.latestAgentGroupName", "its name"),
    Column("latest_queue_state", TEXT, "info.latestQueueState", "`IN_QUEUE` or `ACTIVE`"),
    Column("is_partial", BOOL, "info.isPartial", "whether the record was cut short; exports fetch such ones whole"),
    Column("session_id", TEXT, "info.sessionId", "session of the visitor", INDIRECT),
    Column("interaction_context_id", TEXT, "info.interactionContextId", "context of that session", INDIRECT),
    Column("time_zone", TEXT, "info.timeZone", "of the visitor"),
    Column("language", TEXT, "info.language", "of the visitor"),
    Column("features", Kind.TEXTS, "info.features", "what the visitor's connection can do"),
    Column("integration", TEXT, "info.integration", "kind of integration, such as `WEB_SDK`"),
    Column("integration_version", TEXT, "info.integrationVersion", "version of it"),
    Column("app_id", TEXT, "info.appId", "application"),
    Column("app_version", TEXT, "info.appVersion", "version of it"),
    Column("ip_address", TEXT, "info.ipAddress", "of the visitor", CONSUMER),
    Column("was_step_up", BOOL, "info.wasStepUp", "whether the visitor logged in while it lasted"),
    Column("pending_agent_survey", BOOL, "info.pendingAgentSurvey", "whether an agent's survey is open"),
    Column("first_intent_name", TEXT, "info.firstIntentName", "id of the first intent"),
    Column("first_intent_label", TEXT, "info.firstIntentLabel", "its name"),
)
CAMPAIGN = (
    Column("campaign_id", ID, "campaign.campaignId", "campaign"),
    Column("campaign_name", TEXT, "campaign.campaignName", "its name"),
    Column("campaign_engagement_id", ID, "campaign.campaignEngagementId", "engagement of the campaign"),
    Column("campaign_engagement_name", TEXT, "campaign.campaignEngagementName", "its name"),
    Column("campaign_goal_id", ID, "campaign.goalId", "goal of the campaign"),
    Column("campaign_goal_name", TEXT, "campaign.goalName", "its name"),
    Column("campaign_engagement_agent_note", TEXT, "campaign.engagementAgentNote", "note to the agent"),
    Column("campaign_engagement_source", TEXT, "campaign.engagementSource", "such as `WEB_SITE`"),
    Column("campaign_visitor_behavior_id", ID, "campaign.visitorBehaviorId", "targeting rule"),
    Column("campaign_visitor_behavior_name", TEXT, "campaign.visitorBehaviorName", "its name"),
    Column("campaign_engagement_application_id", ID, "campaign.engagementApplicationId", "application"),
    Column("campaign_engagement_application_name", TEXT, "campaign.engagementApplicationName", "its name"),
    Column("campaign_engagement_application_type_id", ID, "campaign.engagementApplicationTypeId", "its type"),
    Column("campaign_engagement_application_type_name", TEXT, "campaign.engagementApplicationTypeName", "its type"),
    Column("campaign_visitor_profile_id", ID, "campaign.visitorProfileId", "profile of the visitor"),
    Column("campaign_visitor_profile_name", TEXT, "campaign.visitorProfileName", "its name"),
    Column("campaign_lob_id", ID, "campaign.lobId", "line of business"),
    Column("campaign_lob_name", TEXT, "campaign.lobName", "its name", none=("NA",)),
    Column("campaign_location_id", ID, "campaign.locationId", "place of the engagement", also=("campaign.LocationId",)),
    Column("campaign_location_name", TEXT, "campaign.locationName", "its name", also=("campaign.LocationName",)),
    Column("campaign_behavior_system_default", BOOL, "campaign.behaviorSystemDefault", "whether that rule is default"),
    Column("campaign_profile_system_default", BOOL, "campaign.profileSystemDefault", "whether that profile is default"),
)
MONITORING = (
    Column("monitoring_country", TEXT, "monitoring.country", "of the visitor"),
    Column("monitoring_country_code", TEXT, "monitoring.countryCode", "of the visitor"),
    Column("monitoring_state", TEXT, "monitoring.state", "of the visitor", INDIRECT),
    Column("monitoring_city", TEXT, "monitoring.city", "of the visitor", INDIRECT),
    Column("monitoring_isp", TEXT, "monitoring.isp", "internet provider"),
    Column("monitoring_org", TEXT, "monitoring.org", "organization"),
    Column("monitoring_device", TEXT, "monitoring.device", "kind of device", none=("NA",)),
    Column("monitoring_ip_address", TEXT, "monitoring.ipAddress", "of the visitor", CONSUMER),
    Column("monitoring_browser", TEXT, "monitoring.browser", "browser"),
    Column("monitoring_operating_system", TEXT, "monitoring.operatingSystem", "operating system", none=("NA",)),
    Column(
        "monitoring_conversation_start_page", TEXT, "monitoring.conversationStartPage", "page it started on", INDIRECT
    ),
    Column("monitoring_conversation_start_page_title", TEXT, "monitoring.conversationStartPageTitle", "its title"),
)
REST = (
    Column("summary_text", TEXT, "summary.text", "the agent's summary", FREE_TEXT),
    Column("summary_updated_at", TIME, "summary.lastUpdatedTime", "when it was written"),
    Column(
        "response_due_at", TIME, "responseTime.latestEffectiveResponseDueTime",
        "when an answer was due; none while it is the consumer's turn",
    ),
    Column("configured_response_ms", INT, "responseTime.configuredResponseTime", "time to answer in"),
    Column("unique_intents", JSON, "uniqueIntents", "its intents, each once"),
    Column("messages", INT, "", "rows in `messages`"),
    Column("agent_messages", INT, "", "those that an agent sent"),
    Column("consumer_messages", INT, "", "those that the consumer sent"),
    Column("transfers", INT, "", "rows in `transfers`"),
)  # fmt: skip

CONVERSATIONS = Table(
    "conversations",
    "a conversation",
    (),
    (*INFO, *CAMPAIGN, *MONITORING, *REST),
    elsewhere=("info.brandId", "info.conversationId"),
)
