"""The argument ``redact`` of operators: what it names in Airflow, and what takes personal data out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonConnectionNotFoundError
from airflow_provider_lp.compat import AirflowNotFoundException, BaseHook, import_string, mask_secret
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.templates import from_template

if TYPE_CHECKING:
    from airflow_provider_lp.export.redaction.redactor import Redactor


#: Rules that were found right, as text: many tasks of a DAG have the same, and to look for their members takes long.
_RIGHT: set[str] = set()


def redactor_of(redact: Any) -> Redactor:
    """
    What takes out of conversations what ``redact`` names.

    :param redact: the name of a preset or a dict, perhaps as templates render it.
    :raises LivePersonConfigurationError: naming what is wrong with it.
    """
    from airflow_provider_lp.export.redaction.redactor import Redactor
    from airflow_provider_lp.export.redaction.rules import Rules

    rules = Rules.checked(_from_template(redact))
    return Redactor(
        rules,
        key="" if rules.key_conn_id is None else _key(rules.key_conn_id),
        text=None if rules.text is None else _function(rules.text),
    )


def check_redact(given: Literals) -> None:
    """
    Check ``redact``, as far as it is known.

    :raises LivePersonConfigurationError: naming what is wrong with it.
    """
    redact = given.part("redact")
    if redact is not None:
        from airflow_provider_lp.export.redaction.rules import Rules

        is_whole = given.knows("redact")
        if isinstance(redact, Mapping) and not is_whole:
            # What stands for which rule is known even where the rules are not.
            redact = {**dict.fromkeys(given.unrendered("redact")), **redact}
        text = repr((redact, is_whole))
        if text not in _RIGHT:
            Rules.checked(_from_template(redact), is_whole=is_whole)
            _RIGHT.add(text)


def _from_template(redact: Any) -> Any:
    redact = from_template(redact)
    if isinstance(redact, Mapping):
        return {key: from_template(value) for key, value in redact.items()}
    return redact


def _key(key_conn_id: str) -> str:
    """The password of a connection, which from then on no log shows."""
    try:
        key: str | None = BaseHook.get_connection(key_conn_id).password
    except AirflowNotFoundException as error:
        raise LivePersonConnectionNotFoundError(
            f"redact['key_conn_id']={key_conn_id!r} is not an Airflow connection. Define one whose password is the "
            "key of pseudonyms."
        ) from error
    if not key or not key.strip():
        raise LivePersonConfigurationError(
            f"redact['key_conn_id']={key_conn_id!r} is an Airflow connection without a password, which is the key of "
            "pseudonyms."
        )
    mask_secret(key)
    return key


def _function(path: str) -> Callable[[str], str]:
    try:
        function = import_string(path)
    except ImportError as error:
        raise LivePersonConfigurationError(
            f"redact['text']={path!r} cannot be imported on this worker: {error}. Give the dotted path of a "
            "function, such as 'my_package.redaction.without_names'."
        ) from error
    if not callable(function):
        raise LivePersonConfigurationError(
            f"redact['text']={path!r} is no function, but {type(function).__name__}. It must take a text and give one."
        )
    checked: Callable[[str], str] = function
    return checked
