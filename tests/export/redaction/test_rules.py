"""What may be asked for, and what is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.redaction.members import Kind, documented
from airflow_provider_lp.export.redaction.paths import members_on
from airflow_provider_lp.export.redaction.preset import PERSONAL, PRESETS
from airflow_provider_lp.export.redaction.rules import Rules

KEYED = {"key_conn_id": "key"}


@pytest.mark.parametrize(
    ("redact", "said"),
    [
        (None, "redact=None must be 'personal', or a dict"),
        ("", "template whose value this run does not have"),
        ("None", "template whose value this run does not have"),
        ("personel", r"no preset 'personel', but personal. Did you mean 'personal'\?"),
        (["email"], r"redact=\['email'\] must be"),
        ({}, "redact takes nothing out"),
        ({"mask": []}, "redact takes nothing out"),
        ({"masks": ["email"]}, r"redact has no 'masks', but .* Did you mean 'mask'\?"),
        ({"mask": ["e-mail"]}, r"no pattern 'e-mail', but email, iban, card, phone. Did you mean 'email'\?"),
        ({"mask": 5}, r"redact\['mask'\]=5 must be a list of texts"),
        ({"mask": {"email": True}}, r"redact\['mask'\]=.* must be a list of texts"),
        ({"drop": [5]}, r"redact\['drop'\]=\[5\] must be a list of texts"),
        ({"drop": [""]}, r"redact\['drop'\]=\[''\] must be a list of texts.*template"),
        (
            {"drop": "consumerParticipants.*.mail"},
            r"'consumerParticipants.\*.mail'.* Did you mean 'consumerParticipants.\*.email'\?",
        ),
        ({"drop": "info.ipAdress"}, r"'info.ipAdress', which is no member .* Did you mean 'info.ipAddress'\?"),
        ({"drop": "**"}, "is no member"),
        ({"drop": "info.**"}, "is no member"),
        ({"drop": "consumerParticipants..email"}, "is no member"),
        ({"drop": "info"}, "takes info.conversationId out: without it, records cannot be told apart"),
        ({"drop": "info.*"}, "takes info.conversationId out"),
        ({"drop": "*"}, "takes info.conversationId out"),
        ({"drop": "**.conversationId"}, "takes info.conversationId out"),
        ({"pseudonymise": "consumerId"}, "pseudonymises 'consumerId' and so needs key_conn_id"),
        (
            {"pseudonymise": "consumerParticipants", **KEYED},
            "is no single value: name the members below 'consumerParticipants.*'",
        ),
        ({"key_conn_id": "key", "mask": "email"}, "key_conn_id='key', but pseudonymises nothing.*preset='personal'"),
        ({"key_conn_id": "key"}, "redact takes nothing out: give preset='personal'"),
        (
            {"preset": "personal", "key_conn_id": ""},
            r"redact\['key_conn_id'\]='' must be the id of an Airflow connection",
        ),
        ({"text": 5}, r"redact\['text'\]=5 must be the dotted path of a function"),
        ({"preset": "all"}, "no preset 'all', but personal"),
    ],
)
def test_what_makes_no_sense_is_refused(redact: Any, said: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=said):
        Rules.checked(redact)


@pytest.mark.parametrize(
    "path",
    [
        "consumerParticipants.*.email",
        "consumerParticipants.email",
        "ConsumerParticipant.*.Email",
        "**.email",
        "sdes.**.email",
        "messageRecords",
        "messageRecords.*",
        "messageRecords.*.messageData.*.caption",
        "campaign.*",
        "info.features.*",
    ],
)
def test_a_path_may_be_written_in_many_ways(path: str) -> None:
    assert Rules.checked({"drop": path}).names == [f"drop {path}"]


def test_every_documented_member_can_be_named() -> None:
    members = [each for each in documented().walk() if each.path not in ("info", "info.conversationId")]
    assert len(members) > 300
    assert Rules.checked({"drop": [each.path for each in members]}).names == [f"drop {each.path}" for each in members]
    ids = [each.path for each in documented().walk() if each.kind is not None]
    assert len(Rules.checked({"pseudonymise": ids, **KEYED}).names) == len(ids)


def test_all_that_the_preset_names_could_be_named_by_hand() -> None:
    preset = PRESETS[PERSONAL]
    by_hand = Rules.checked({"drop": list(preset.drop), "pseudonymise": list(preset.ids), "mask": preset.mask, **KEYED})
    assert by_hand == Rules.checked({"preset": PERSONAL, **KEYED})


def test_the_preset_takes_ids_out_with_or_without_a_key() -> None:
    without, keyed = Rules.checked(PERSONAL), Rules.checked({"preset": PERSONAL, **KEYED})
    ids = PRESETS[PERSONAL].ids
    assert {f"drop {each}" for each in ids} <= set(without.names)
    assert {f"pseudonymise {each}" for each in ids} <= set(keyed.names)
    assert len(without.names) == len(keyed.names) == len(set(keyed.names))


def test_the_preset_names_no_agent_and_nothing_that_tables_need() -> None:
    found = {member for path in PRESETS[PERSONAL].drop for member in members_on([path.split(".")])[0]}
    assert [member.path for member in found if member.kind in (Kind.AGENT, Kind.CODE, Kind.TIME, Kind.WHO)] == []
