"""Personal values in disguise, wherever a record may have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.export.redaction.rules import Rules

from .seeds import CONSUMER

REDACTORS = {
    "dropped": Redactor(Rules.checked("personal")),
    "pseudonymised": Redactor(Rules.checked({"preset": "personal", "key_conn_id": "key"}), key="secret"),
}
MASKS = ("[email]", "[card]", "[iban]", "[phone]")
DISGUISED = (
    *("john@x.org", "JOHN@X.ORG", "john%40x.org", "john%2540x.org", "john&#64;x.org", "john&amp;#x40;x.org"),
    *("john\\u0040x.org", "john\\x40x.org", "john\uff20x.org", "jo\u200bhn@x.org", "john@x\u00adx.org"),
    *("https://shop.example/?mail=john%40x.org&page=1", "mailto:john@x.org?subject=a"),
    *("4111 1111 1111 1111", "4111\u00a01111\u00a01111\u00a01111", "4111\u20111111\u20111111\u20111111"),
    *("4111\u200b1111\u200b1111\u200b1111", "4111\u20281111\u20281111\u20281111", "4111\u00b71111\u00b71111\u00b71111"),
    *("4111\n\n1111\n\n1111\n\n1111", "4111-\n1111-\n1111-\n1111", "4111\n-1111\n-1111\n-1111"),
    *("4111\t1111\t1111\t1111", "4111\n1111\n1111\n1111", "4111%201111%201111%201111", "4111+1111+1111+1111"),
    *("".join(chr(0xFF10 + int(each)) for each in "4111111111111111"), "\U0001d7d2" + 15 * "\U0001d7cf"),
    *("\u096a\u0967\u0967\u0967 \u0967\u0967\u0967\u0967 \u0967\u0967\u0967\u0967 \u0967\u0967\u0967\u0967",),
    "4\ufe0f\u20e3" + 15 * "1\ufe0f\u20e3",
    *("de89 3704 0044 0532 0130 00", "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000"),
    *("DE89%203704%200044%200532%200130%2000", "\u202dDE89370400440532013000 \u202c", "DE89+3704+0044+0532+0130+00"),
    "".join(chr(ord(each) + 0xFEE0) for each in "DE89370400440532013000"),
    *("+49 170 1234567", "\u202a+49 170 1234567\u202c", "%2B49%20170%201234567", "tel:%2B491701234567"),
    *("+49\u2009170\u200a1234567", "".join(chr(ord(each) + 0xFEE0) for each in "+491701234567")),
    *("0170\u20121234567", "\\u002b491701234567", "0170\\/1234567"),
)


def places(value: str) -> Iterator[dict[str, Any]]:
    """Records with a value in one place each."""

    def message(data: Any) -> dict[str, Any]:
        return {"messageRecords": [{"messageId": "m", "messageData": data}]}

    yield message({"msg": {"text": value}})
    yield message({"msg": {"text": f"write {value}, please"}})
    yield message({"richContent": {"content": json.dumps({"elements": [{"text": value}]})}})
    yield message({"quickReplies": {"content": json.dumps({value: 1})}, "msg": {"text": "hi"}})
    yield message({"file": {"caption": value}})
    yield message({"msg": {"text": {"new": [[value]]}}})
    yield {"messageRecords": [{"new": value}]}
    yield {"messageStatuses": [{"messageId": {"new": value}}]}
    yield {"new": {value: 1}}
    yield {value: {"a": 1}}
    yield {"new": [[[value]], [{"a": [value]}]]}
    yield {"new": json.dumps({"a": json.dumps([value])})}
    yield {"summary": {"text": json.dumps(json.dumps({value: [value]}))}}
    yield {"summary": [value]}
    yield {"info": {"closeReason": value}}
    yield {"info": {"features": {"a": [value]}}}
    yield {"monitoring": {"conversationStartPage": f"https://shop.example/a?q={value}"}}
    yield {"consumerParticipants": {"dialogId": [value], "new": value}}
    yield {"sdes": {"events": {"lead": {"lead": {"topic": value}}}}}
    yield {"unAuthSdes": {"events": [{"newEvent": {"newEvent": {value: value}}}]}}


@pytest.mark.parametrize("how", REDACTORS)
@pytest.mark.parametrize("value", DISGUISED, ids=ascii)
def test_no_disguise_helps(value: str, how: str) -> None:
    for given in places(value):
        whole = {**given, "info": {"conversationId": "c", **given.get("info", {})}}
        for as_ascii in (True, False):
            raw = json.dumps(whole, ensure_ascii=as_ascii, separators=(",", ":")).encode()
            made = json.dumps(json.loads(REDACTORS[how].redact(raw, "c").line), ensure_ascii=False)
            assert any(mask in made for mask in MASKS), given
            assert json.dumps(value, ensure_ascii=False)[1:-1] not in made


@pytest.mark.parametrize("how", REDACTORS)
def test_a_member_that_another_of_its_name_hides_is_gone(how: str) -> None:
    raw = (
        b'{"info":{"conversationId":"c","source":"a@x.org","source":"APP"},"summary":"a@x.org","summary":{"text":"hi"},'
        b'"messageRecords":[{"messageData":{"msg":{"text":"a@x.org","text":"hi"}}},{"dialogId":"a@x.org","dialogId":"d"}],'
        b'"messageStatuses":[{"seq":1,"messageId":"a@x.org","messageId":"m"}],"messageScores":[{"time":"a@x.org","time":""}]}'
    )
    assert b"a@x.org" not in REDACTORS[how].redact(raw, "c").line


def test_what_is_longer_when_it_is_written_again_hides_no_member() -> None:
    rows = ",".join(f'{{"seq":{number}}}' for number in ("1E5", "1E5", "1E6", "1E6"))
    raw = (
        f'{{"info":{{"conversationId":"c"}},"messageStatuses":[{{"messageId":"a@x.org","messageId":"m"}},{rows}]}}'
    ).encode()
    assert b"a@x.org" not in REDACTORS["dropped"].redact(raw, "c").line


def test_a_text_that_was_a_name_in_one_record_is_read_in_another() -> None:
    redactor, text = Redactor(Rules.checked("personal")), '{"firstName":"Anna"}'
    for given in ({text: 1}, {"summary": {"text": text}}):
        line = redactor.redact(json.dumps({"info": {"conversationId": "c"}, **given}).encode(), "c").line
    assert b"Anna" not in line


@pytest.mark.parametrize("number", ["4111111111111111", "4111111111111111.0", "4.111111111111111e15"])
def test_a_number_that_is_a_card_is_masked_where_it_is_no_code(number: str) -> None:
    raw = (
        f'{{"info":{{"conversationId":"c","source":{number}}},"new":[{number},{{"card":{number}}}],'
        f'"messageRecords":[{{"timeL":1767225603123,"messageData":{{"msg":{{"text":{number}}}}}}}],'
        f'"summary":{{"text":"[{number}]"}}}}'
    ).encode()
    line, counts = REDACTORS["dropped"].redact(raw, "c")
    assert number.encode() not in line
    assert counts == {"mask card": 5}
    other = raw.replace(b"4111", b"1767").replace(b"4.111", b"1.767")
    assert REDACTORS["dropped"].redact(other, "c").line == other


@pytest.mark.parametrize("how", REDACTORS)
def test_a_consumers_id_is_found_in_codes_numbers_names_and_escapes(how: str) -> None:
    numeric = "8005550123"
    for identity in (CONSUMER, numeric):
        hidden = f"\\u{ord(identity[0]):04x}{identity[1:]}"
        raw = (
            f'{{"info":{{"conversationId":"c","interactionContextId":"{identity}","source":"{hidden}"}},'
            f'"consumerParticipants":[{{"participantId":"{identity}"}}],"{identity}":{{"x":["{hidden}"]}},'
            f'"messageRecords":[{{"participantId":"{identity}","dialogId":"d-{identity}","sentBy":"Consumer",'
            f'"messageData":{{"msg":{{"text":"I am {hidden}"}}}}}}],'
            f'"messageStatuses":[{{"participantId":"{hidden}","messageId":"m:{identity}"}}]'
            + (f',"new":{identity},"summary":{{"text":"{{\\"id\\":{identity}}}"}}' if identity == numeric else "")
            + "}"
        ).encode()
        line = REDACTORS[how].redact(raw, "c").line
        assert identity not in json.dumps(json.loads(line))
        assert b'"conversationId":"c"' in line


@pytest.mark.parametrize(
    "identity", ['anna "ann" muster', "änne/muster", "anna\\muster", "anna\nmuster", "\u096a-muster"]
)
@pytest.mark.parametrize("how", REDACTORS)
def test_a_consumers_id_is_found_however_json_spells_it(how: str, identity: str) -> None:
    text = f"I am {identity}, hello"
    given = {
        "info": {"conversationId": "c", "source": identity},
        "consumerParticipants": [{"participantId": identity}],
        "agentParticipants": [{"agentGroupName": text, "agentFullName": text}],
        "messageRecords": [
            {"participantId": identity, "sentBy": "Consumer", "messageData": {"msg": {"text": text}}},
            {"dialogId": "d", "messageData": {"richContent": {"content": json.dumps({"elements": [text]})}}},
        ],
        "messageStatuses": [{"messageId": "m", "participantId": identity}],
    }
    letters = json.dumps(given)
    for raw in (letters, json.dumps(given, ensure_ascii=False), letters.replace("/", "\\/").replace("m", "\\u006d", 1)):
        made = json.loads(REDACTORS[how].redact(raw.encode(), "c").line)
        assert json.dumps(identity)[1:-1] not in json.dumps(made)
        assert json.dumps(json.dumps(identity)[1:-1])[1:-1] not in json.dumps(made)
