"""What consumers and agents of the sandbox say, awkward characters included."""

from __future__ import annotations

import random

LONG_TEXT_CHARACTERS = 20_000

_CONSUMER = (
    "Hello, my parcel has not come yet.",
    "The invoice shows the wrong amount, 12.50 instead of 10.",
    "Can I change my delivery address?",
    "Thank you, that was quick 😀👍",
    "Grüße aus Köln, ich brauche eine Quittung bitte, Größe XL.",
    "¿Dónde está mi pedido?",
    "注文はいつ届きますか。よろしくお願いします。",
    "我的订单还没有到 🙏",
    "مرحبا، أين طلبي رقم ١٢؟",
    "שלום, ההזמנה שלי לא הגיעה",
    "Family plan for us: 👩‍👩‍👧‍👦 and a flag 🏳️‍🌈",
    "cafe\u0301 with a combining accent, and Z\u0335a\u0337l\u0334g\u0336o",
    'She said "it\'s broken", then\nhung up.\r\n\tPath: C:\\temp\\new',
    "one line\u2028separated\u2029twice, and a \u00a0hard space",
    "bell \u0007 and escape \u001b[31mred\u001b[0m",
    "<script>alert('not run')</script> & </conversationHistoryRecords>",
    "null",
    "0",
    " ",
)
_AGENT = (
    "Hi, this is the sandbox support. How can I help?",
    "Let me look that up for you.",
    "I have sent a new label by e-mail.",
    "Ich prüfe das sofort, einen Moment bitte.",
    "少々お待ちください。",
    "Is there anything else? 🙂",
    'Please choose "Settings" \u2192 "Orders".',
    "We refund it within 3 days.",
)
_SUMMARIES = ("Refund promised", "Address changed", "Consumer will write again", 'Said "thanks" ✅')


def message_text(rng: random.Random, *, by_consumer: bool) -> str:
    """One message."""
    return rng.choice(_CONSUMER if by_consumer else _AGENT)


def long_text(rng: random.Random) -> str:
    """One very long message."""
    sentence = message_text(rng, by_consumer=True) + " "
    return (sentence * (LONG_TEXT_CHARACTERS // len(sentence) + 1))[:LONG_TEXT_CHARACTERS]


def summary_text(rng: random.Random) -> str:
    """What the agent noted at the end."""
    return rng.choice(_SUMMARIES)
