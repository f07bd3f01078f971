"""The presets of what to take out: what each names, in one declaration from which its documentation is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_lp.export.redaction.patterns import PATTERNS

#: Stands for the consumer's id wherever LivePerson has it: participants, messages, statuses, and in texts.
CONSUMER_ID = "consumerId"
PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Preset:
    """
    What is taken out.

    :param drop: members that are dropped, and what they are, for people.
    :param ids: members that are pseudonymised where there is a key, and dropped otherwise; likewise.
    :param mask: patterns that are masked in texts.
    """

    drop: Mapping[str, str]
    ids: Mapping[str, str]
    mask: tuple[str, ...]

    def as_markdown(self) -> str:
        """The preset as a table."""
        rows = [
            *((f"`{path}`", "dropped", words) for path, words in self.drop.items()),
            *((f"`{path}`", "pseudonymised with a key, dropped without", words) for path, words in self.ids.items()),
            *(("every text", f"`[{name}]` in its place", PATTERNS[name].words) for name in self.mask),
        ]
        return "\n".join(["| Where | What happens | What it is |", "|---|---|---|", *map(_row, rows)])


def _row(cells: tuple[str, str, str]) -> str:
    return f"| {' | '.join(cells)} |"


PRESETS: Mapping[str, Preset] = {
    PERSONAL: Preset(
        drop={
            "**.firstName": "the consumer's first name",
            "**.lastName": "the consumer's last name",
            "**.consumerName": "the consumer's name",
            "**.email": "addresses of e-mail, of the consumer's profile and of engagement attributes",
            "**.phone": "telephone numbers, likewise",
            "**.address": "postal addresses, of engagement attributes",
            "**.contacts": "all contacts of the engagement attribute `personalInfo`",
            "**.token": "the consumer's token",
            "**.avatarURL": "the consumer's picture",
            "**.ipAddress": "IP addresses, of `info` and `monitoring`",
            "**.personalInfo.**.name": "first name, as the website passed it on",
            "**.personalInfo.**.surname": "last name, likewise",
            "**.personalInfo.**.gender": "gender, likewise",
            "**.personalInfo.**.company": "company, likewise",
            "**.personalInfo.**.customerAge": "date of birth or age, likewise",
            "**.customerInfo.**.userName": "user name, likewise",
            "**.customerInfo.**.accountName": "name of the account, likewise",
            "**.customerInfo.**.socialId": "id in a social network, likewise",
            "**.customerInfo.**.imei": "the telephone's serial number, likewise",
            "**.userProfile": "the consumer's profile, as an engagement attribute",
            "messageRecords.*.messageData.**.preview": "thumbnails of pictures: no pattern sees into them",
        },
        ids={
            CONSUMER_ID: "the consumer's id wherever it is: `participantId` of the consumer in `consumerParticipants`, "
            "`messageRecords` and `messageStatuses`, `by` in `transfers`, and in texts",
            "info.visitorId": "the visitor's id in the browser",
            "**.customerInfo.**.customerId": "the customer's number, as the website passed it on",
        },
        mask=tuple(PATTERNS),
    )
}
