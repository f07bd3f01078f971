"""Which conversations to look up, by their ids or their consumer."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import STATUSES, check_content, check_status


class LookupQuery(msgspec.Struct, frozen=True):
    """
    Which conversations to look up. Made by :meth:`checked`.

    :param conversation_ids: their ids, each once; ``None`` to go by the consumer.
    :param consumer_id: their consumer.
    :param status: with a consumer: ``OPEN``, ``CLOSE`` or both.
    :param content: content types to retrieve; ``None`` for LivePerson's default.
    :param allow_missing: whether ids that LivePerson does not know are only reported.
    """

    conversation_ids: list[str] | None
    consumer_id: str | None
    status: list[str]
    content: list[str] | None
    allow_missing: bool

    @classmethod
    def checked(
        cls,
        *,
        conversation_ids: Sequence[str] | str | None,
        consumer_id: str | None,
        status: Collection[str] | None = None,
        content: Collection[str] | None = None,
        allow_missing: bool = False,
    ) -> LookupQuery:
        """
        A lookup whose every argument LivePerson would accept.

        :raises LivePersonConfigurationError: naming the argument that it would not.
        """
        check_terms(conversation_ids, consumer_id, status)
        if consumer_id is not None and (not isinstance(consumer_id, str) or not consumer_id.strip()):
            raise LivePersonConfigurationError(f"consumer_id={consumer_id!r} must be a consumer's id.")
        ids = None if conversation_ids is None else check_ids(conversation_ids)
        checked = check_content(content, by_consumer=consumer_id is not None)
        return cls(ids, consumer_id, check_status(STATUSES if status is None else status), checked, allow_missing)


def check_terms(conversation_ids: object, consumer_id: object, status: object) -> None:
    """
    Refuse what says twice, or not at all, which conversations are meant.

    :raises LivePersonConfigurationError: naming the arguments.
    """
    if (conversation_ids is None) == (consumer_id is None):
        raise LivePersonConfigurationError("Give either conversation_ids or consumer_id, one of the two.")
    if conversation_ids is not None and status is not None:
        raise LivePersonConfigurationError("status goes with consumer_id: conversation_ids names what to look up.")


def check_ids(given: object) -> list[str]:
    """
    Ids from a list, or from the text that a template makes of one.

    :raises LivePersonConfigurationError: if there are none, or others than texts.
    """
    ids = given
    if isinstance(given, str):
        try:
            ids = ast.literal_eval(given) if given.strip().startswith(("[", "(")) else given.replace(",", " ").split()
        except (SyntaxError, ValueError):
            ids = None
    if (
        not isinstance(ids, Sequence)
        or not all(isinstance(some, str) and some.strip() for some in ids)
        or list(ids) == ["None"]
    ):
        raise LivePersonConfigurationError(
            f"conversation_ids={given!r} must be a list of conversation ids, each a text. (A text None comes from a "
            "template whose value this run does not have.)"
        )
    return list(dict.fromkeys(some.strip() for some in ids))
