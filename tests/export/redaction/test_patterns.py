"""What is found in texts, what is not, and that no text takes long."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.export.redaction.cards import has_luhn_checksum
from airflow_provider_lp.export.redaction.looks import may_hold_anything, those_that_may_hold_anything
from airflow_provider_lp.export.redaction.patterns import PATTERNS
from airflow_provider_lp.export.redaction.spelling import Reading
from airflow_provider_lp.export.redaction.texts import Texts

ALL = Texts(list(PATTERNS))


def masked(text: str, *patterns: str) -> str:
    return Texts(patterns or list(PATTERNS)).clean(text, {})


def full_width(text: str) -> str:
    return "".join(chr(ord(each) + 0xFF10 - ord("0")) if each.isdigit() else each for each in text)


def arabic(text: str) -> str:
    return "".join(chr(ord(each) + 0x660 - ord("0")) if each.isdigit() else each for each in text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to john.o'neil+x@ex-ample.co.uk.", "write to [email]."),
        ("<john@x.org>, 'jane@x.org' *jim@x.org*", "<[email]>, '[email]' *[email]*"),
        ("mailto:john@x.org?subject=a", "mailto:[email]?subject=a"),
        ("https://shop.example/?q=1&email=john%40x.org&y=2", "https://shop.example/?q=1&email=[email]&y=2"),
        ("john&#64;x.org or john&#x40;x.org or john&commat;x.org", "[email] or [email] or [email]"),
        ("0!#$%&'*+-/=^_`{|}~.@A.COM", "[email]"),
        ("山田\uff20例え.jp", "[email]"),
        ("a@x.org,b@y.org;c@z.org", "[email],[email];[email]"),
        ("at 10@12.50 each, @john, a@b, medium.com/@john.doe", "at 10@12.50 each, @john, a@b, medium.com/@john.doe"),
        ("https://maps.example/maps/@48.13,11.57,15z", "https://maps.example/maps/@48.13,11.57,15z"),
    ],
)
def test_addresses_of_email(text: str, expected: str) -> None:
    assert masked(text) == expected


@given(
    st.emails().filter(lambda address: "/" not in address and "%" not in address),
    st.sampled_from(["", "a ", "(", "mail:", "x\n"]),
    st.sampled_from(["", " b", ")", ".", ", "]),
)
def test_every_address_of_email_is_found(address: str, before: str, after: str) -> None:
    assert address not in masked(before + address + after)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111 12/27 123", "[card] 12/27 123"),
        ("it is 4111-1111-1111-1111.", "it is [card]."),
        ("Visa4111111111111111", "Visa[card]"),
        ("order 77 3782 822463 10005", "order 77 [card]"),
        ("41 11 11 11 11 11 11 11 12/27", "[card] 12/27"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[card]"),
        ("6759649826438453 30569309025904 5019717010103742", "[card] [card] [card]"),
        (full_width("4111111111111111"), "[card]"),
        (arabic("4111 1111 1111 1111"), "[card]"),
    ],
)
def test_cards(text: str, expected: str) -> None:
    assert masked(text, "card") == expected


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "4111111111111112",
        "1767225600000",  # a moment
        "12345678-1234-4123-8123-123456789012",
        "00000000-0000-4000-8000-000000000003",
        "a4111111111111111b",  # of a checksum
        "8589934601 3677470410 2026-01-01 00:00:03.123+0000",
        "ms::dialog:e5c58e49-e4a5-40a8-8a18-d6580d1d5630::msg:12",
        "0000000000000000",
        "41111111111111111111111111",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_digits_of_all_scripts_are_digits() -> None:
    zeros = [
        code for code in range(0x80, sys.maxunicode) if unicodedata.decimal(chr(code), None) == 0 and code != 0x1FBF0
    ]
    assert len(zeros) > 50
    for zero in zeros:
        number = "".join(chr(zero + int(each)) for each in "4111111111111111")
        assert masked(f"it is {number}.", "card") == "it is [card]."


@given(st.text("0123456789", min_size=13, max_size=19).filter(lambda digits: digits[0] not in "01"), st.integers(0, 9))
def test_a_number_is_a_card_if_and_only_if_its_checksum_is_right(digits: str, last: int) -> None:
    number = f"{digits[:-1]}{last}"
    assert (masked(f"no {number}!", "card") == "no [card]!") == has_luhn_checksum(number)


@given(st.integers(1_000_000_000_000, 1_999_999_999_999))
def test_moments_are_no_cards(moment: int) -> None:
    assert masked(str(moment)) == str(moment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DE89 3704 0044 0532 0130 00 is my iban", "[iban] is my iban"),
        ("IBANDE89370400440532013000, gb82 west 1234 5698 7654 32", "IBAN[iban], [iban]"),
        ("MT84MALT011000012345MTLCAST001S", "[iban]"),
        ("NL91ABNA0417164300 FR1420041010050500013M02606", "[iban] [iban]"),
        ("DE89370400440532013001", "DE89370400440532013001"),
        ("DE8937040044053201300", "DE8937040044053201300"),
        ("XX89370400440532013000", "XX89370400440532013000"),
    ],
)
def test_ibans(text: str, expected: str) -> None:
    assert masked(text, "iban") == expected


@given(st.sampled_from(["DE", "GB", "FR", "NL", "ES", "AT", "NO"]), st.integers(0, 10**30))
def test_an_iban_is_found_if_and_only_if_its_checksum_is_right(country: str, number: int) -> None:
    length = {"DE": 18, "GB": 18, "FR": 23, "NL": 14, "ES": 20, "AT": 16, "NO": 11}[country]
    account = str(number).zfill(length)[-length:]
    of_country = "".join(str(int(letter, 36)) for letter in country)
    check = 98 - int(f"{account}{of_country}00") % 97
    assert masked(f"{country}{check:02}{account}", "iban") == "[iban]"
    wrong = f"{country}{check % 97 + 2:02}{account}"
    assert masked(wrong, "iban") == wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+49 170 1234567 or 0049 170 1234567 or 0170/1234567", "[phone] or [phone] or [phone]"),
        ("(+49) 170 1234567, + 49 170 1234567, +1 (212) 555-0123", "[phone], [phone], [phone]"),
        ("Add (030) 1234567", "Add [phone]"),
        ("(212) 555-0123, 212-555-0123, 1-800-555-0199", "[phone], [phone], [phone]"),
        ("06 12 34 56 78, 01.02.03.04.05", "[phone], [phone]"),
        ("tel: 2125550123, my number is 2125550123, call 555-0100", "tel: [phone], my number is [phone], call [phone]"),
        ("+49 170 1234567 / 0170 7654321", "[phone] / [phone]"),
        ("on 12.03.24 0170 1234567", "on 12.03.24 [phone]"),
        ("+49\u00a0170\u20111234567", "[phone]"),
        (arabic("+49 170 1234567"), "[phone]"),
    ],
)
def test_telephones(text: str, expected: str) -> None:
    assert masked(text, "phone") == expected


@pytest.mark.parametrize(
    "text",
    [
        "order 12345678",
        "3677470410",
        "01.02.2026 10:30",
        "2026-01-01 00:00:03.123+0000",
        "2026-03-10T00:00:00Z",
        "0.12345678",
        "48.137154, 11.576124",
        "192.168.100.200",
        "C-0123456789",
        "140.0.7339.128",
    ],
)
def test_what_is_no_telephone_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "long",
    [
        "a" * 100_000,
        "a." * 50_000 + "@",
        "a@" * 50_000,
        "%" * 100_000 + "@" + "a." * 50_000,
        "&" * 100_000,
        "1" * 100_000,
        "1 " * 50_000,
        "0170 1234567 " * 8_000,
        "(0" * 50_000,
        "DE89 3704 " * 10_000,
        "12.12.12 " * 11_000,
    ],
    ids=lambda text: text[:12],
)
def test_no_text_takes_long(long: str) -> None:
    def seconds(text: str) -> float:
        begun = time.process_time()
        ALL.clean(text, {})
        return time.process_time() - begun

    # Twice as long a text takes about twice as long, and not four times.
    assert seconds(long) < 3.5 * seconds(long[: len(long) // 2]) + 0.5


FOUND: list[tuple[str, Callable[[str], bool]]] = [(name, pattern.may_be_in) for name, pattern in PATTERNS.items()]


@given(st.text(st.sampled_from("0123456789 +-@.a&%#;40D\u00a0\u0661\uff14\uff20é🙏"), max_size=40))
def test_the_quick_look_misses_nothing_that_is_found(text: str) -> None:
    found: dict[str, int] = {}
    plain = Reading.of(text).plain
    for name, pattern in PATTERNS.items():
        found[name] = len([*pattern.find(plain)])
    if any(found.values()):
        assert may_hold_anything(text)
        assert all(may_be_in(plain) for name, may_be_in in FOUND if found[name])


#: Values in pieces, and what may stand between them, or in the place of a sign.
VALUES = (("4111", "1111", "1111", "1111"), ("DE89", "3704", "0044", "0532", "0130", "00"), ("+49", "170", "1234567"))
GAPS = (
    *("", " ", "-", ".", "/", "_", "\t", "\r", "\n", "\n\n", "-\n", "\n ", "%20", "%2B", "\\/", "\\n", "🙏", "x"),
    *("\u00a0", "\u2011", "\u200b", "\u2028", "\u00b7", "\u3000", "\ufe0f"),
)
SIGNS = ("@", "%40", "%2540", "&#64;", "\\u0040", "\uff20", "\u200b@")
ZEROS = (*6 * ("0",), "\uff10", "\u0660", "\u0966", "\u1040", "\ua620", "\U0001d7ce", "\U0001e950")


@st.composite
def hostile(draw: st.DrawFn) -> str:
    """A text with something in it that may be personal, in disguise."""
    zero = ord(draw(st.sampled_from(ZEROS)))
    gap = draw(st.sampled_from(GAPS))
    number = gap.join(draw(st.sampled_from(VALUES)))
    shown = "".join(chr(zero + int(each)) if each in "0123456789" else each for each in number)
    address = f"a{draw(st.sampled_from(SIGNS))}x.org"
    around = st.sampled_from(["", "é ", "is ", "12 ", "[", '"'])
    return draw(around) + draw(st.sampled_from([shown, shown, address])) + draw(around)


def spelled(text: str, escaped: str, *, as_ascii: bool) -> msgspec.Raw:
    """A text as JSON, with some characters spelled as escapes that need not be."""
    written = (
        f"\\u{ord(each):04x}" if each in escaped else json.dumps(each, ensure_ascii=as_ascii)[1:-1] for each in text
    )
    return msgspec.Raw(f'"{"".join(written)}"'.encode())


@settings(max_examples=500)
@given(st.lists(hostile(), max_size=4), st.sampled_from(["", "", "@", "+", "1-"]), st.booleans())
def test_the_look_at_many_texts_passes_over_none_that_holds_anything(
    texts: list[str], escaped: str, as_ascii: bool
) -> None:
    written = [spelled(text, escaped, as_ascii=as_ascii) for text in texts]
    looked_at = those_that_may_hold_anything(written)
    for number, text in enumerate(texts):
        assert msgspec.json.decode(written[number]) == text
        plain = Reading.of(text).plain
        if any([*pattern.find(plain)] for pattern in PATTERNS.values()):
            assert number in looked_at
            assert may_hold_anything(text)
