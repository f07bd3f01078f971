"""Moments, credentials and crowds of conversations for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_lp.client import (
    ApplicationCredentials,
    OAuth1Credentials,
    OAuth2Credentials,
    UserCredentials,
)
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.sandbox.credentials import CREDENTIALS

NOW = datetime(2026, 3, 20, 12, 34, 56, 789_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARK = 600_000
HOUR = 3_600_000
DAY = 24 * HOUR
SEARCH = "/conversations/search"
BY_ID = "/conversation/search"
BY_CONSUMER = "/consumer/search"
OAUTH1 = OAuth1Credentials(
    CREDENTIALS["app_key"],
    CREDENTIALS["app_secret"],
    CREDENTIALS["access_token"],
    CREDENTIALS["access_token_secret"],
)
OAUTH2 = OAuth2Credentials(CREDENTIALS["client_id"], CREDENTIALS["client_secret"])
USER = UserCredentials(CREDENTIALS["login"], CREDENTIALS["password"])
APPLICATION = ApplicationCredentials(
    CREDENTIALS["bot_login"], CREDENTIALS["client_id"], CREDENTIALS["client_secret"], "dummy", "dummy"
)


def ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0, milli: int = 0) -> int:
    """A moment of March 2026, in epoch milliseconds."""
    return ms(datetime(2026, 3, day, hour, minute, second, milli * 1_000, tzinfo=UTC))


def crowd(number: int, first_ms: int = at(10), apart_ms: int = 1_000, **traits: Any) -> list[Conversation]:
    """Conversations that start one after the other and last ten seconds."""
    return [
        Conversation(
            f"c{position:05}",
            first_ms + position * apart_ms,
            end_ms=first_ms + position * apart_ms + 10_000,
            message_count=2,
            **traits,
        )
        for position in range(number)
    ]
