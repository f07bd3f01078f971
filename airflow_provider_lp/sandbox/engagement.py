"""What is known of the visit that a conversation came from: campaign, device, engagement attributes (SDEs)."""

from __future__ import annotations

import random
from typing import Any

from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.moments import twins


def campaign(conversation: Conversation) -> dict[str, Any]:
    """``campaign``. LivePerson documents the ids as numbers and sends them as strings."""
    return {
        "campaignEngagementId": "8589934601",
        "campaignEngagementName": "Sandbox Engagement",
        "campaignId": "8589934602",
        "campaignName": "Sandbox Campaign Été",
        "goalId": "8589934603",
        "goalName": "Sandbox Goal",
        "engagementSource": "WEB_SITE",
        "visitorBehaviorId": "8589934604",
        "visitorBehaviorName": "Any visitor",
        "visitorProfileId": "8589934605",
        "visitorProfileName": "All profiles",
        "lobId": -1,
        "lobName": "NA",
        "locationId": str(8_589_934_606 + len(conversation.source)),
        "locationName": "Entire site",
        "profileSystemDefault": True,
        "behaviorSystemDefault": True,
    }


def monitoring(conversation: Conversation) -> dict[str, Any]:
    """``monitoring``. The address is one reserved for documentation."""
    return {
        "country": "Sandboxia",
        "countryCode": "XX",
        "state": "NA",
        "city": "Testville",
        "isp": "Example Net",
        "org": "Example Org",
        "device": conversation.device,
        "ipAddress": "192.0.2.7",
        "browser": "Sandbox Browser 1.0",
        "operatingSystem": "LINUX",
        "conversationStartPage": "https://shop.example/help?q=%E2%9C%93",
        "conversationStartPageTitle": "Help ✓",
    }


def cobrowse_sessions(conversation: Conversation) -> dict[str, Any]:
    """``coBrowseSessions``: an object that holds a list."""
    session = {
        "sessionId": f"cb-{conversation.conversation_id[:8]}",
        **twins("startTime", conversation.start_ms),
        **twins("endTime", conversation.start_ms + conversation.message_interval_ms),
        **twins("interactiveTime", conversation.start_ms),
        "isInteractive": True,
        "endReason": "agentEnded",
        "duration": conversation.message_interval_ms,
        "type": "web",
        "capabilities": ["view"],
        "agentId": conversation.agent_ids[-1] if conversation.agent_ids else "null",
    }
    return {"coBrowseSessionsList": [session]}


def attributes(conversation: Conversation, version: int) -> dict[str, Any]:
    """``sdes``: the authenticated attributes. ``version`` 1 sends every value as a string."""
    rng = random.Random(f"sdes {conversation.conversation_id}")
    events = [_customer(conversation, rng), _cart(conversation, rng), _lead(conversation, rng)]
    kept = events[: 1 + rng.randrange(len(events))]
    return {"events": [event if version == 2 else _as_strings(event) for event in kept]}


def anonymous_attributes(conversation: Conversation) -> dict[str, Any]:
    """``unAuthSdes``: known from version 2 on; unset values are null."""
    person: dict[str, Any] = {
        "name": "Testa",
        "surname": None,
        "gender": None,
        "language": "en",
        "company": None,
        "contacts": [],
    }
    event = {"personalInfo": {"personalInfo": person, **_stamps(conversation)}, "sdeType": "PERSONAL_INFO"}
    return {"events": [event | {"isAuthenticated": False, "serverTimeStamp": str(conversation.start_ms)}]}


def _stamps(conversation: Conversation) -> dict[str, Any]:
    return {"serverTimeStamp": str(conversation.start_ms), "originalTimeStamp": str(conversation.start_ms)}


def _customer(conversation: Conversation, rng: random.Random) -> dict[str, Any]:
    customer = {
        "customerStatus": rng.choice(("gold", "silver", "new")),
        "customerId": f"C-{rng.randrange(10**10):010}",
        "balance": round(rng.uniform(-500, 5_000), 2),
        "currency": "EUR",
        "companySize": None,
        "loginStatus": 1,
        "registrationDate": {"year": 2019, "month": rng.randint(1, 12), "day": rng.randint(1, 28)},
    }
    event: dict[str, Any] = {"customerInfo": {"customerInfo": customer, **_stamps(conversation)}}
    return event | {"sdeType": "CUSTOMER_INFO", "serverTimeStamp": str(conversation.start_ms)}


def _cart(conversation: Conversation, rng: random.Random) -> dict[str, Any]:
    price = round(rng.uniform(1, 300), 2)
    product = {"name": "Sandbox Mug ☕", "category": "kitchen", "sku": "SKU-001", "price": price}
    cart = {"total": price, "currency": "EUR", "numItems": 1, "products": [{"product": product, "quantity": 1}]}
    event: dict[str, Any] = {"cartStatus": cart | _stamps(conversation), "sdeType": "CART_STATUS"}
    return event | {"serverTimeStamp": str(conversation.start_ms)}


def _lead(conversation: Conversation, rng: random.Random) -> dict[str, Any]:
    lead = {"topic": rng.choice(("phone plan", "insurance")), "value": 12.5, "currency": "EUR", "leadId": "lead-7"}
    event: dict[str, Any] = {"lead": {"lead": lead, **_stamps(conversation)}, "sdeType": "LEAD"}
    return event | {"serverTimeStamp": str(conversation.start_ms)}


def _as_strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_strings(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_strings(member) for member in value]
    return value if value is None or isinstance(value, str) else str(value)
