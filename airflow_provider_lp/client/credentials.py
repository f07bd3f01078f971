"""The four kinds of credentials that LivePerson knows."""

from __future__ import annotations

from dataclasses import dataclass, field

#: What LivePerson wants in place of the two tokens where a bot user logs in with an OAuth 2.0 client; no secret.
PLACEHOLDER = "dummy"


@dataclass(frozen=True, slots=True)
class OAuth1Credentials:
    """An API key of the account: requests are signed, there is nothing to log in to or to renew."""

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth2Credentials:
    """OAuth 2.0 client credentials (LivePerson's v2)."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A LivePerson user that logs in with a password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApplicationCredentials:
    """
    A bot user that logs in with the keys of an application.

    :param username: the bot user.
    :param app_key: the id of an OAuth 2.0 client, or the app key of an OAuth 1.0 API key.
    :param app_secret: the secret of the same.
    :param access_token: of an OAuth 1.0 API key; an OAuth 2.0 client has none.
    :param access_token_secret: likewise.
    """

    username: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    access_token: str = field(default=PLACEHOLDER, repr=False)
    access_token_secret: str = field(default=PLACEHOLDER, repr=False)

    @property
    def is_oauth1(self) -> bool:
        """Whether the keys are those of OAuth 1.0."""
        return PLACEHOLDER not in (self.access_token, self.access_token_secret)


Credentials = OAuth1Credentials | OAuth2Credentials | UserCredentials | ApplicationCredentials


def secrets_of(credentials: Credentials) -> list[str]:
    """The values among the credentials that nobody may see."""
    values = (getattr(credentials, name) for name in credentials.__slots__ if name != "username")
    return [value for value in values if value != PLACEHOLDER]
