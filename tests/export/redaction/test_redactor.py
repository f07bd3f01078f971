"""What becomes of records."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.export.redaction.rules import Rules
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.sandbox.records.record import KNOWN_CONTENT, render_record
from tests.samples import at

from .seeds import AGENT, AGENT_NAME, CONSUMER, Seeds, record

KEYED = {"preset": "personal", "key_conn_id": "key"}


@lru_cache
def rules_of(redact: str) -> Rules:
    return Rules.checked(json.loads(redact))


def redactor(redact: Any, key: str = "secret", **options: Any) -> Redactor:
    return Redactor(rules_of(json.dumps(redact)), key=key, **options)


def redacted(redact: Any, given: dict[str, Any], **options: Any) -> tuple[dict[str, Any], dict[str, int]]:
    raw = json.dumps(given, separators=(",", ":")).encode()
    line, counts = redactor(redact, **options).redact(raw, given["info"]["conversationId"])
    made = json.loads(line)
    assert line == msgspec.json.format(line, indent=-1), "not minified"
    return made, dict(counts)


@pytest.mark.parametrize("redact", ["personal", KEYED], ids=["dropped", "pseudonymised"])
def test_nothing_of_a_thousand_personal_values_stays(redact: Any) -> None:
    seeds = Seeds()
    given = record(seeds, "c1")
    made, counts = redacted(redact, given)
    written = json.dumps(made, ensure_ascii=False) + repr(made)
    assert len(seeds.values) > 1000
    assert len(seeds.seen_in(json.dumps(given, ensure_ascii=False))) > 1000
    assert seeds.seen_in(written) == set()
    assert made["info"]["conversationId"] == "c1"
    assert made["info"]["latestAgentLoginName"] == AGENT_NAME
    assert made["messageRecords"][1]["participantId"] == AGENT
    assert made["agentParticipants"][0]["agentLoginName"] == AGENT_NAME
    assert {"mask email", "mask card", "mask iban", "mask phone", "drop **.firstName"} <= set(counts)


def test_what_is_nobodys_stays_as_it_was() -> None:
    given = render_record(Conversation("c1", at(10), end_ms=at(11)), account_id="1", now_ms=at(12))
    for part in ("sdes", "consumerParticipants"):
        del given[part]
    del given["info"]["ipAddress"]
    made, counts = redacted(KEYED, given)
    assert set(counts) <= {"pseudonymise consumerId"}
    for row, before in zip(made["messageRecords"], given["messageRecords"], strict=True):
        if row["sentBy"] == "Consumer":
            row["participantId"] = before["participantId"]
    made["messageStatuses"] = given["messageStatuses"]
    assert made == given


@pytest.mark.parametrize(
    "name", ["tel", "phoneNumber", "customer_phone", "MOBILE", "Telefonnummer", "cell-phone", "phones"]
)
@pytest.mark.parametrize(
    "value", ["5552345678", "4915123456789", 5552345678, ["555 234 5678"], {"main": "x", "tel": "5552345678"}]
)
def test_a_number_in_a_member_that_says_so_is_one_of_a_telephone(name: str, value: Any) -> None:
    inner = {name: value}
    given = {
        "info": {"conversationId": "c", "form": inner},
        "messageRecords": [{"messageData": {"msg": {"text": json.dumps(inner)}}}],
    }
    made, counts = redacted({"mask": ["phone"]}, given)
    assert counts == {"mask phone": 2}
    written = json.dumps(made)
    assert "5678" not in written
    assert "6789" not in written
    assert name in written
    assert redacted({"mask": ["email"]}, given)[0] == given


@pytest.mark.parametrize(
    "inner",
    [
        {"hotel": "1234567"}, {"cancelled": 12345678}, {"telemetry": "12345678"}, {"phoneticId": "12345678"},
        {"phone": "123456"}, {"phone": "none"}, {"mobile": True}, {"phone": None}, {"orderId": "5552345678"},
    ],
)  # fmt: skip
def test_no_other_number_is(inner: dict[str, Any]) -> None:
    given = {
        "info": {"conversationId": "c", "form": inner},
        "messageRecords": [{"messageData": {"msg": {"text": json.dumps(inner)}}}],
    }
    assert redacted("personal", given)[1].get("mask phone") is None


def test_numbers_texts_and_the_order_of_members_stay() -> None:
    raw = (
        b'{"info":{"conversationId":"c","z":1e999,"b":-0.0,"a":5.0,"n":123456789012345678901234567890},'
        b'"x":{"t":"\\u0000 caf\xc3\xa9 \\ud83d\\ude00","q":"{\\"b\\": 1.50, \\"a\\": [1]}"}}'
    )
    line, counts = redactor("personal").redact(raw, "c")
    assert line == raw.replace(b"\\ud83d\\ude00", "😀".encode())
    assert counts == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "\\u2728 caf\\u00e9", "n": 1.50}', None),
        ("[1, 2]", None),
        ('"quoted"', None),
        ('{"a": "\\u0061@x.org"}', '{"a":"[email]"}'),
        ('{"a": "b@x.org", "a": 1}', '{"a":1}'),
        ('{"card": 4111111111111111, "at": 1767225600000}', '{"card":"[card]","at":1767225600000}'),
        ('"{\\"a\\": \\"b@x.org\\"}"', '"{\\"a\\":\\"[email]\\"}"'),
        ("{a@x.org}", "{[email]}"),
    ],
)
def test_json_in_a_text_is_written_anew_only_where_something_is_taken_out(text: str, expected: str | None) -> None:
    made, _ = redacted("personal", {"info": {"conversationId": "c"}, "summary": {"text": text}})
    assert made["summary"]["text"] == (text if expected is None else expected)


def test_odd_shapes_and_spellings_hide_nothing() -> None:
    given = {
        "info": {"conversationId": "c", "IPAddress": "192.0.2.1"},
        "ConsumerParticipant": {"participantId": CONSUMER, "FirstName": "Anneliese", "email": ["a@x.org", {"b": 1}]},
        "messageRecords": {"messageRecords": [{"participantId": CONSUMER, "messageData": {"msg": "a@x.org"}}]},
        "messageStatuses": {"participantId": CONSUMER, "messageId": {"odd": "a@x.org"}, "time": ["a@x.org"]},
        "coBrowseSessions": [{"sessionId": "a@x.org", "duration": "+491701234567"}],
        "summary": "a@x.org",
        "sdes": {"events": {"personalInfo": {"name": "Anneliese", "contacts": {"email": "z"}}}},
        "skillChanges": '{"x": "a\\u0040x.org"',
        "a@x.org": {"[email]": 1, "b@x.org": 2, CONSUMER: 3},
    }
    made, _ = redacted("personal", given)
    written = json.dumps(made)
    assert [each for each in ("192.0", CONSUMER, "Anneliese", "a@x.org", "b@x.org", "+49170") if each in written] == []
    assert made["[email]"] == {"[email]": 1, "[email] 2": 2, "[consumerId]": 3}


def test_a_pseudonym_is_the_same_everywhere_and_another_by_another_key() -> None:
    def pseudonyms(key: str, conversation_id: str) -> set[str]:
        given = record(Seeds(), conversation_id)
        made, _ = redacted(KEYED, given, key=key)
        found = {made["consumerParticipants"][0]["participantId"], made["messageRecords"][0]["participantId"]}
        found |= {row["participantId"] for row in made["messageStatuses"] if row["participantId"] != AGENT}
        assert made["messageRecords"][2]["messageData"]["msg"]["text"] in {f"I am {each}" for each in found}
        return found

    (one,) = pseudonyms("a key", "c1")
    assert pseudonyms("a key", "c2") == {one}
    assert pseudonyms("another key", "c1").isdisjoint({one, CONSUMER})
    assert len(one) == 64


def test_a_number_and_its_text_have_one_pseudonym_and_no_id_has_none() -> None:
    rules = {"pseudonymise": ["info.latestAgentId"], "key_conn_id": "key"}
    ids = [17, "17", "undefined", "", None, -1]
    made = [redacted(rules, {"info": {"conversationId": "c", "latestAgentId": each}})[0] for each in ids]
    found = [each["info"]["latestAgentId"] for each in made]
    assert found[0] == found[1] != "17"
    assert found[2:] == ids[2:]


def test_the_conversations_id_is_hidden_wherever_it_stands() -> None:
    given = render_record(
        Conversation("conv-1234", at(10), end_ms=at(11)), account_id="1", now_ms=at(12), content=sorted(KNOWN_CONTENT)
    )
    made, counts = redacted({"pseudonymise": "info.conversationId", "key_conn_id": "key"}, given)
    pseudonym = made["info"]["conversationId"]
    assert "conv-1234" not in json.dumps(made)
    assert made["messageRecords"][0]["messageId"] == f"ms::dialog:{pseudonym}::msg:0"
    assert counts["pseudonymise info.conversationId"] > 10


def test_rules_of_ones_own_go_before_those_of_the_preset() -> None:
    rules = {
        "preset": "personal",
        "key_conn_id": "key",
        "pseudonymise": ["**.email"],
        "drop": ["info.*Id*", "messageRecords.*.seq"],
    }
    with pytest.raises(LivePersonConfigurationError, match=r"'info\.\*Id\*', which is no member"):
        Rules.checked(rules)
    given = {
        "info": {"conversationId": "c"},
        "consumerParticipants": [{"email": "a@x.org"}],
        "messageRecords": [{"seq": 1, "x": 2}],
    }
    made, counts = redacted({**rules, "drop": ["messageRecords.*.seq"]}, given)
    assert len(made["consumerParticipants"][0]["email"]) == 64
    assert made["messageRecords"] == [{"x": 2}]
    assert counts == {"pseudonymise **.email": 1, "drop messageRecords.*.seq": 1}


def test_a_function_sees_all_texts_and_nothing_else() -> None:
    seen: list[str] = []

    def shout(text: str) -> str:
        seen.append(text)
        return text.upper()

    given = {
        "info": {"conversationId": "c", "latestSkillName": "orders", "latestAgentFullName": "ann"},
        "messageRecords": [
            {"dialogId": "d", "messageData": {"msg": {"text": "hi a@x.org"}}},
            {"messageData": {"richContent": {"content": '{"text":"yes","n":1}'}}},
        ],
        "new": {"text": "new"},
    }
    made, counts = redacted({"mask": "email", "text": "some.function"}, given, text=shout)
    assert sorted(seen) == ["hi [email]", "new", "orders", "yes"]
    assert made["messageRecords"][0]["messageData"]["msg"]["text"] == "HI [EMAIL]"
    assert json.loads(made["messageRecords"][1]["messageData"]["richContent"]["content"]) == {"text": "YES", "n": 1}
    assert made["info"]["latestAgentFullName"] == "ann"
    assert counts == {"mask email": 1, "text some.function": 4}


@pytest.mark.parametrize("wrong", [lambda text: 1 / 0, lambda text: int(text), lambda text: None, str.encode])
def test_a_function_that_fails_shows_no_text(wrong: Any) -> None:
    given = {"info": {"conversationId": "c"}, "summary": {"text": "very private"}}
    with pytest.raises(LivePersonConfigurationError, match=r"function of 'text some.function' (raised|gave)") as caught:
        redacted({"text": "some.function"}, given, text=wrong)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "private" not in f"{chain!r} {chain.args}"
        chain = chain.__cause__ or chain.__context__


@pytest.fixture
def usual_depth() -> Iterator[None]:
    """Python's own limit of recursion, which other libraries raise."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


def test_what_is_nested_too_deeply_is_refused_by_its_id(usual_depth: None) -> None:
    deep = "[" * 940 + '"a@x.org"' + "]" * 940
    raw = f'{{"info":{{"conversationId":"c"}},"x":{deep}}}'.encode()
    with pytest.raises(LivePersonConfigurationError, match="conversation the-id is nested too deeply"):
        redactor("personal").redact(raw, "the-id")


def test_a_text_that_is_deep_json_is_read_as_text() -> None:
    deep = "[" * 5_000 + '"a@x.org"' + "]" * 5_000
    made, _ = redacted("personal", {"info": {"conversationId": "c"}, "summary": {"text": deep}})
    assert made["summary"]["text"] == deep.replace("a@x.org", "[email]")


words = st.sampled_from(
    [
        "hi",
        "a@x.org",
        "+49 170 1234567",
        "4111 1111 1111 1111",
        CONSUMER,
        "é",
        '{"a":"b@x.org"}',
        "[1, 2]",
        "x\\u0040",
        " ",
        "\n",
    ]
)


def test_what_is_no_code_is_found_beside_what_is_not_decoded() -> None:
    plain = {"messageId": "m", "messageData": {"msg": {"text": "hi"}}}
    odd = [{**plain, "contextData": {}, "dialogId": "a@x.org"}, {**plain, "new": 1, "time": "a@x.org"}]
    made, counts = redacted("personal", {"info": {"conversationId": "c"}, "messageRecords": [plain, *odd, plain]})
    assert [made["messageRecords"][1]["dialogId"], made["messageRecords"][2]["time"]] == ["[email]", "[email]"]
    assert counts == {"mask email": 2}


text = st.lists(words, max_size=4).map(" ".join)
odd = st.one_of(
    st.none(), st.integers(), st.booleans(), text, st.lists(text, max_size=2), st.dictionaries(text, text, max_size=2)
)
message_data = st.one_of(
    st.fixed_dictionaries({"msg": st.fixed_dictionaries({"text": text})}),
    st.fixed_dictionaries(
        {"msg": st.fixed_dictionaries({"text": text}), "quickReplies": st.fixed_dictionaries({"content": text})}
    ),
    st.dictionaries(st.sampled_from(["msg", "file", "other"]), odd),
)
names = st.sampled_from(
    ["messageId", "dialogId", "time", "timeL", "seq", "audience", "new", "contextData", "ParticipantId"]
)
row = st.builds(
    lambda fixed, more, data: {**more, **fixed, **({} if data is None else {"messageData": data})},
    st.fixed_dictionaries(
        {},
        optional={
            "participantId": st.sampled_from([CONSUMER, AGENT, "short", "undefined", "é-consumer"]),
            "sentBy": st.sampled_from(["Consumer", "Agent", "consumer", None]),
            "participantType": st.sampled_from(["Consumer", "Agent"]),
        },
    ),
    st.one_of(
        st.just({}),
        st.just({"messageId": "ms::1", "time": "2026-01-01 00:00:03.123+0000"}),
        st.dictionaries(names, odd, max_size=2),
    ),
    st.one_of(st.none(), message_data),
)
part = st.one_of(st.lists(row, max_size=4), row)


@settings(max_examples=25)
@example(messages=[], statuses=[{"ParticipantId": []}], scores=[], participants=[], key=False, ascii=False)
@example(messages={"sentBy": {}}, statuses=[{"participantType": []}], scores=[], participants={}, key=True, ascii=True)
@given(messages=part, statuses=part, scores=part, participants=part, key=st.booleans(), ascii=st.booleans())
def test_what_is_not_decoded_becomes_what_is_decoded_would(
    messages: Any, statuses: Any, scores: Any, participants: Any, key: bool, ascii: bool
) -> None:
    given = {
        "info": {"conversationId": "c"},
        "messageRecords": messages,
        "messageStatuses": statuses,
        "messageScores": scores,
        "consumerParticipants": participants,
    }
    raw = json.dumps(given, ensure_ascii=ascii, separators=(",", ":")).encode()
    quick = redactor(KEYED if key else "personal")
    thorough = redactor(KEYED if key else "personal")
    assert set(quick.readers) == {"messageRecords", "messageStatuses", "messageScores"}
    thorough.is_thorough = True
    one, other = quick.redact(raw, "c"), thorough.redact(raw, "c")
    assert json.loads(one.line) == json.loads(other.line)
    assert one.counts == other.counts
