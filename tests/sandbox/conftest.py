from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox

from .caller import NOW, Caller


@pytest.fixture
def serve() -> Iterator[Callable[..., Caller]]:
    """Start a sandbox of the given account, or of exactly the given conversations."""
    with ExitStack() as stack:

        def start(*conversations: Conversation, account: Account | None = None, **options: Any) -> Caller:
            served = account or Account.of(conversations, now=NOW)
            caller = Caller(stack.enter_context(Sandbox(account=served, **options)))
            stack.callback(caller.session.close)
            return caller

        yield start


@pytest.fixture(scope="session")
def generated() -> Account:
    return Account(now=NOW, days=4, per_day=60)


@pytest.fixture
def caller(serve: Callable[..., Caller], generated: Account) -> Caller:
    """A sandbox of the generated account."""
    return serve(account=generated)


@pytest.fixture
def old(serve: Callable[..., Caller], generated: Account) -> Caller:
    """The same as LivePerson was before OAuth 1.0 ended."""
    return serve(account=generated, year=2025)


@pytest.fixture(scope="session")
def steady(generated: Account) -> Iterator[Caller]:
    """The same, shared by tests that leave it as they found it."""
    with Sandbox(account=generated) as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.session.close()
