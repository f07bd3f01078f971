"""What may be asked to be taken out of conversations: the argument ``redact``, checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.redaction.members import Member, documented, folded
from airflow_provider_lp.export.redaction.paths import members_on
from airflow_provider_lp.export.redaction.patterns import PATTERNS
from airflow_provider_lp.export.redaction.preset import CONSUMER_ID, PERSONAL, PRESETS

DROP, PSEUDONYMISE = "drop", "pseudonymise"
KEYS = ("preset", DROP, PSEUDONYMISE, "mask", "text", "key_conn_id")
#: Without it records could not be told apart, nor found again at LivePerson.
KEY_OF_RECORDS = "info.conversationId"

_NO_VALUES = ("", "None")
_FROM_TEMPLATE = " (None, or an empty text, comes from a template whose value this run does not have.)"


@dataclass(frozen=True)
class Rule:
    """
    What is done to a member.

    :param action: ``drop`` or ``pseudonymise``.
    :param path: of the member, or ``consumerId`` for the consumer's id wherever it is.
    """

    action: str
    path: str

    @cached_property
    def name(self) -> str:
        """What it is called in summaries."""
        return f"{self.action} {self.path}"

    @cached_property
    def is_drop(self) -> bool:
        """Whether the member is left out."""
        return self.action == DROP

    @property
    def parts(self) -> Sequence[str]:
        """Its path, as paths are followed."""
        return ("**", CONSUMER_ID) if self.path == CONSUMER_ID else self.path.split(".")


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What to take out of conversations. Made by :meth:`checked`.

    :param members: what is done to which members; of two that fit one, the earlier counts.
    :param mask: the patterns that texts are searched for.
    :param text: dotted path of the function that all texts are passed through, if any.
    :param key_conn_id: Airflow connection whose password is the key of pseudonyms, if any.
    """

    members: tuple[Rule, ...]
    mask: tuple[str, ...]
    text: str | None
    key_conn_id: str | None

    @classmethod
    def checked(cls, redact: object, *, is_whole: bool = True) -> Rules:
        """
        Rules that can be followed.

        :param redact: the name of a preset, or a dict.
        :param is_whole: whether that is all; default yes. Of a part, the rules only are checked, each by itself.
        :raises LivePersonConfigurationError: naming what is wrong.
        """
        given = {"preset": redact} if isinstance(redact, str) and redact.strip() not in _NO_VALUES else redact
        if not isinstance(given, Mapping):
            raise LivePersonConfigurationError(
                f"redact={redact!r} must be {PERSONAL!r}, or a dict of {', '.join(KEYS)}."
                + (_FROM_TEMPLATE if redact is None or isinstance(redact, str) else "")
            )
        for key in given:
            if key not in KEYS:
                raise LivePersonConfigurationError(
                    f"redact has no {key!r}, but {', '.join(KEYS)}.{_nearest(str(key), KEYS)}"
                )
        key_conn_id = _text("key_conn_id", given.get("key_conn_id"))
        members = [Rule(action, path) for action in (DROP, PSEUDONYMISE) for path in _listed(action, given.get(action))]
        masks = _listed("mask", given.get("mask"))
        # Of a preset they are right, as a test shows; to look for so many at each parse of a DAG file takes long.
        for rule, found in zip(members, members_on([rule.parts for rule in members]), strict=True):
            _check_path(rule, found)
        if (preset := given.get("preset")) is not None:
            chosen = _preset(preset)
            members += [Rule(DROP, path) for path in chosen.drop]
            members += [Rule(PSEUDONYMISE if key_conn_id else DROP, path) for path in chosen.ids]
            masks += chosen.mask
        for pattern in masks:
            if pattern not in PATTERNS:
                raise LivePersonConfigurationError(
                    f"redact['mask'] has no pattern {pattern!r}, but {', '.join(PATTERNS)}."
                    f"{_nearest(pattern, PATTERNS)}"
                )
        rules = cls(
            tuple(dict.fromkeys(members)),
            tuple(name for name in PATTERNS if name in masks),
            _text("text", given.get("text")),
            key_conn_id,
        )
        if is_whole:
            rules._check_whole()
        return rules

    def _check_whole(self) -> None:
        needs_key = [rule.path for rule in self.members if rule.action == PSEUDONYMISE]
        if needs_key and self.key_conn_id is None:
            raise LivePersonConfigurationError(
                f"redact pseudonymises {needs_key[0]!r} and so needs key_conn_id: the Airflow connection whose "
                "password is the key."
            )
        if not self.names:
            raise LivePersonConfigurationError(
                f"redact takes nothing out: give preset={PERSONAL!r}, {DROP}, {PSEUDONYMISE}, mask or text."
            )
        if self.key_conn_id is not None and not needs_key:
            raise LivePersonConfigurationError(
                f"redact has key_conn_id={self.key_conn_id!r}, but pseudonymises nothing. Name the ids in "
                f"{PSEUDONYMISE}, for instance {CONSUMER_ID!r}, or add preset={PERSONAL!r}."
            )

    @property
    def names(self) -> list[str]:
        """What the rules are called in summaries."""
        texts = [f"text {self.text}"] if self.text else []
        return [*(rule.name for rule in self.members), *(f"mask {pattern}" for pattern in self.mask), *texts]


def _preset(name: object) -> Any:
    if not isinstance(name, str) or name not in PRESETS:
        raise LivePersonConfigurationError(
            f"redact knows no preset {name!r}, but {', '.join(PRESETS)}.{_nearest(str(name), PRESETS)}"
        )
    return PRESETS[name]


def _listed(key: str, value: object) -> list[str]:
    """Texts as a list; a single one is a list of it."""
    if value is None:
        return []
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, Collection) or isinstance(items, Mapping | bytes):
        raise LivePersonConfigurationError(f"redact[{key!r}]={value!r} must be a list of texts.")
    listed = []
    for item in items:
        if not isinstance(item, str) or item.strip() in _NO_VALUES:
            raise LivePersonConfigurationError(f"redact[{key!r}]={value!r} must be a list of texts.{_FROM_TEMPLATE}")
        listed.append(item.strip())
    return listed


def _text(key: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value.strip() in _NO_VALUES:
        expected = {"text": "the dotted path of a function", "key_conn_id": "the id of an Airflow connection"}[key]
        raise LivePersonConfigurationError(f"redact[{key!r}]={value!r} must be {expected}.{_FROM_TEMPLATE}")
    return value.strip()


def _check_path(rule: Rule, found: Sequence[Member]) -> None:
    """Refuse a path that leads to nothing that LivePerson documents, or to what must stay."""
    if rule.path == CONSUMER_ID:
        return
    if rule.parts[-1] == "**" or not found:
        raise LivePersonConfigurationError(
            f"redact[{rule.action!r}] names {rule.path!r}, which is no member of a conversation that LivePerson "
            f"documents.{_nearest(rule.path, _known_paths())}"
        )
    if rule.action == PSEUDONYMISE and (groups := [member.path for member in found if member.kind is None]):
        raise LivePersonConfigurationError(
            f"redact[{PSEUDONYMISE!r}] names {rule.path!r}, which is no single value: name the members below "
            f"{groups[0]!r} that are ids."
        )
    if rule.action == DROP and any(_holds_key(member) for member in found):
        raise LivePersonConfigurationError(
            f"redact[{DROP!r}] names {rule.path!r}, which takes {KEY_OF_RECORDS} out: without it, records cannot be "
            f"told apart. {PSEUDONYMISE} can hide it, with all that is made of it."
        )


def hides_key(rule: Rule) -> bool:
    """Whether a rule hides the conversation's id."""
    return any(_holds_key(member) for member in members_on([rule.parts])[0])


def _holds_key(member: Member) -> bool:
    return member.path == KEY_OF_RECORDS or KEY_OF_RECORDS.startswith(f"{member.path}.")


def _known_paths() -> list[str]:
    return [CONSUMER_ID, *(member.path for member in documented().walk())]


def _nearest(name: str, known: Iterable[str]) -> str:
    """Asks for the known name that is most like a wrong one."""
    by_folded = {folded(each): each for each in known}
    close = get_close_matches(folded(name), by_folded, n=1, cutoff=0.4)
    return f" Did you mean {by_folded[close[0]]!r}?" if close else ""
