"""The credentials that the sandbox accepts. All of them are invented and public."""

from __future__ import annotations

CREDENTIALS = {
    "login": "sandbox.user@liveperson.example",
    "password": "sandbox-password",
    "bot_login": "sandbox.bot@liveperson.example",
    "app_key": "5a4db0c5app0key0000000000000000a",
    "app_secret": "sandbox-app-secret",
    "access_token": "5a4db0c5access0token00000000000b",
    "access_token_secret": "sandbox-access-token-secret",
    "client_id": "sandbox-client-0000-4000-8000-id",
    "client_secret": "sandbox-client-secret",
}
