"""The tables of messages, and of what became of them."""

from __future__ import annotations

from airflow_provider_lp.tables.schema.column import Column, Container, Kind, Personal, Table

TEXT, ID, INT, DOUBLE, BOOL, TIME, JSON = (
    Kind.TEXT, Kind.ID, Kind.INT, Kind.DOUBLE, Kind.BOOL, Kind.TIME, Kind.JSON,
)  # fmt: skip
CONSUMER, FREE_TEXT = Personal.CONSUMER, Personal.FREE_TEXT

POSITION = Column("position", INT, "", "place in LivePerson's list, from 0")
DIALOG_ID = Column("dialog_id", ID, "dialogId", "dialog; the main one has the conversation's id", none=("undefined",))
CLASSIFICATION = "allClassifications.*"

MESSAGES = Table(
    "messages",
    "a message",
    ("position",),
    (
        Column("message_id", ID, "messageId", "its id"),
        POSITION,
        Column("seq", INT, "seq", "LivePerson's number of it in the conversation; with gaps"),
        DIALOG_ID,
        Column("sent_at", TIME, "timeL", "when it was sent"),
        Column("type", TEXT, "type", "such as `TEXT_PLAIN`, `RICH_CONTENT`, `HOSTED_FILE`"),
        Column("sent_by", Kind.LOWER, "sentBy", "`agent` or `consumer`"),
        Column("participant_id", ID, "participantId", "who sent it: an agent's or a consumer's id", CONSUMER),
        Column("audience", TEXT, "audience", "`ALL`, or `AGENTS_AND_MANAGERS`: not for the consumer"),
        Column("source", TEXT, "source", "channel; LivePerson no longer maintains it", none=("undefined",)),
        Column("device", TEXT, "device", "kind of device, likewise", none=("undefined", "NA")),
        Column("text", TEXT, "messageData.msg.text", "what it says", FREE_TEXT),
        Column("rich_content", Kind.JSON_TEXT, "messageData.richContent.content", "structured content", FREE_TEXT),
        Column("quick_replies", Kind.JSON_TEXT, "messageData.quickReplies.content", "answers offered", FREE_TEXT),
        Column(
            "file_path", TEXT, "messageData.file.relativePath", "file that was sent", FREE_TEXT,
        ),
        Column(
            "file_type", TEXT, "messageData.file.fileType", "such as `JPG`; of a file or a link",
            also=("messageData.link.fileType",),
        ),
        Column(
            "file_caption", TEXT, "messageData.file.caption", "caption of the file or the link", FREE_TEXT,
            also=("messageData.link.caption",),
        ),
        Column(
            "link", TEXT, "messageData.link.externalFileLink", "link to a file elsewhere", FREE_TEXT,
            also=("messageData.externalFileLink",),
        ),
        Column(
            "form_id", ID, "messageData.secureForm.formId", "secure form that was sent", also=("messageData.formId",)
        ),
        Column("form_name", TEXT, "messageData.secureForm.formName", "its name", also=("messageData.formName",)),
        Column(
            "submission_id", ID, "messageData.secureForm.submissionId", "what was entered in it",
            also=("messageData.submissionId",),
        ),
        Column(
            "invitation_id", ID, "messageData.secureForm.invitationId", "the invitation to it",
            also=("messageData.invitationId",),
        ),
        Column(
            "structured_metadata", JSON, "contextData.structuredMetadata",
            "what a bot understood, or why it was handed on", FREE_TEXT,
        ),
        Column("raw_metadata", Kind.JSON_TEXT, "contextData.rawMetadata", "the same as the bot sent it", FREE_TEXT),
    ),
    (Container(("messageRecords", "messagesRecords")),),
    left_out=("messageData.file.preview",),
)  # fmt: skip

MESSAGE_STATUSES = Table(
    "message_statuses",
    "a delivery status of a message",
    ("position",),
    (
        POSITION,
        Column("message_id", ID, "messageId", "message"),
        Column("seq", INT, "seq", "LivePerson's number of that message"),
        Column("status", TEXT, "messageDeliveryStatus", "such as `SENT`, `ACCEPT`, `READ`"),
        Column("participant_id", ID, "participantId", "who reports it", CONSUMER),
        Column("participant_type", TEXT, "participantType", "such as `Agent`"),
        DIALOG_ID,
        Column("at", TIME, "timeL", "when"),
    ),
    (Container(("messageStatuses",)),),
)

MESSAGE_SCORES = Table(
    "message_scores",
    "a score of a message",
    ("position",),
    (
        POSITION,
        Column("message_id", ID, "messageId", "message"),
        Column("raw_score", INT, "messageRawScore", "score of this message"),
        Column("mcs", INT, "mcs", "Meaningful Conversation Score up to it, 0 to 100"),
        Column("at", TIME, "timeL", "when it was computed"),
    ),
    (Container(("messageScores", "messageScore")),),
)

INTENTS = Table(
    "intents",
    "a classification of a message; the one that was selected, where it is not among them, follows them",
    ("position", "classification_position"),
    (
        POSITION,
        Column("classification_position", INT, "", "place among the classifications; none if there are none"),
        Column("message_id", ID, "messageId", "message"),
        Column("is_selected", BOOL, "", "whether it is the one that was selected"),
        Column("intent_name", TEXT, "intentName", "id of the intent", shown=f"{CLASSIFICATION}.intentName"),
        Column("intent_label", TEXT, "intentLabel", "its name", shown=f"{CLASSIFICATION}.intentLabel"),
        Column("confidence_score", DOUBLE, "confidenceScore", "0 to 1", shown=f"{CLASSIFICATION}.confidenceScore"),
        Column(
            "model_name", TEXT, "versions.modelName", "first of the models; others are in `_extra`",
            shown=f"{CLASSIFICATION}.versions.*.modelName",
        ),
        Column(
            "model_version", TEXT, "versions.modelVersion", "its version",
            shown=f"{CLASSIFICATION}.versions.*.modelVersion",
        ),
    ),
    (Container(("intents",)),),
    elsewhere=("selectedClassification", "allClassifications"),
)  # fmt: skip
