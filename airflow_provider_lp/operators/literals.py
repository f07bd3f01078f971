"""What is known of a task's arguments when its DAG file is parsed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from inspect import signature
from pathlib import PurePath
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.compat import AirflowException, AirflowFailException

#: How Jinja's expressions, statements and comments begin.
TEMPLATES = ("{{", "{%", "{#")
#: Types whose values are what they are. Of any other, such as another task's output, it shows when the task runs.
PLAIN = (int, float, bytes, datetime, timedelta)


class WrongArgumentError(AirflowFailException, ValueError):
    """
    An argument that is wrong as it stands in the DAG file; the message names task, argument, value and remedy.

    Airflow shows it as an import error of the file. Where a mapped task gets the argument when it runs, it fails the
    task without retries.
    """


class _Unknown:
    """Stands for what is not known yet."""


UNKNOWN = _Unknown()


class Literals:
    """
    The arguments of a task, as far as they are known before it runs: what is neither a template nor another task's
    output, and of lists and dicts what members are not.

    :param arguments: by their names; of a mapped task those that ``partial()`` is given, as the others may come by
        ``expand()``.
    :param template_fields: names of those that Airflow renders.
    :param template_suffixes: how texts end that name a file with a template.
    :param is_rendered: whether Airflow has rendered them, so that no text is a template; default no.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        template_fields: Collection[str],
        template_suffixes: Collection[str],
        *,
        is_rendered: bool = False,
    ) -> None:
        self._arguments = arguments
        self._template_fields = template_fields
        self._template_suffixes = tuple(template_suffixes)
        self._is_rendered = is_rendered

    def knows(self, *names: str) -> bool:
        """Whether all of these are known whole; one that has its default is."""
        return all(name in self._arguments and self._part(name) is self._arguments[name] for name in names)

    def get(self, name: str) -> Any:
        """An argument that is known whole; ``None`` if it is not, or not given."""
        return self._arguments[name] if self.knows(name) else None

    def part(self, name: str) -> Any:
        """What is known of an argument: of a list or a dict the literal members. ``None`` if nothing is."""
        part = self._part(name) if name in self._arguments else UNKNOWN
        if part is not UNKNOWN:
            return part
        # The names in a dict are known even where no value is.
        return {} if isinstance(self._arguments.get(name), Mapping) else None

    def unrendered(self, name: str) -> Any:
        """An argument with all its templates; ``None`` if it is a file's, or not given."""
        value = self._arguments.get(name)
        return None if isinstance(value, str) and self._is_file(value) else value

    def check(self, name: str, rule: Callable[[Any], object]) -> None:
        """Apply a rule to an argument, if it is given and known whole."""
        value = self.get(name)
        if value is not None:
            rule(value)

    def _part(self, name: str) -> Any:
        value = self._arguments[name]
        return self._known(value) if name in self._template_fields else value

    def _known(self, value: Any) -> Any:
        """The value itself if it is known whole; what is known of it; or :data:`UNKNOWN`."""
        match value:
            case None:
                return None
            case str() | PurePath():
                return UNKNOWN if self._is_template(str(value)) else value
            case Mapping():
                members = {key: self._known(item) for key, item in value.items()}
                if all(members[key] is item for key, item in value.items()):
                    return value
                return {key: item for key, item in members.items() if item is not UNKNOWN} or UNKNOWN
            case list() | tuple() | set() | frozenset():
                items = [(item, self._known(item)) for item in value]
                if all(known is item for item, known in items):
                    return value
                return [known for _, known in items if known is not UNKNOWN] or UNKNOWN
        return value if isinstance(value, PLAIN) else UNKNOWN

    def _is_template(self, text: str) -> bool:
        return not self._is_rendered and (any(start in text for start in TEMPLATES) or self._is_file(text))

    def _is_file(self, text: str) -> bool:
        return not self._is_rendered and text.endswith(self._template_suffixes)


@contextmanager
def naming_the_task(task_id: object) -> Iterator[None]:
    """
    Say of which task an argument is wrong.

    :raises WrongArgumentError: for an error of the configuration.
    """
    try:
        yield
    except LivePersonConfigurationError as error:
        raise WrongArgumentError(f"Task {task_id!r}: {error}") from None


@contextmanager
def naming_the_misspelled(operator: type[Any], task_id: object, arguments: Collection[str]) -> Iterator[None]:
    """
    Say of an argument that there is not, which one may have been meant.

    :param operator: the class that was given the arguments.
    :raises WrongArgumentError: instead of Airflow's error.
    """
    try:
        yield
    except WrongArgumentError:
        raise
    except (TypeError, AirflowException):
        # Airflow 3 raises the one for an argument that there is not, Airflow 2 the other; both also for other reasons.
        known = _arguments_of(operator)
        wrong = next((name for name in arguments if name not in known), None)
        if wrong is None:
            raise
        own = sorted(name for name, module in known.items() if not module.startswith("airflow."))
        raise WrongArgumentError(
            f"Task {task_id!r}: {operator.__name__} has no argument {wrong!r}.{nearest(wrong, known)} "
            f"Besides Airflow's own, it takes {', '.join(own)}."
        ) from None


def _arguments_of(operator: type[Any]) -> dict[str, str]:
    """The names of all arguments that an operator takes, each with the module that declares it."""
    declared: dict[str, str] = {}
    for each in operator.__mro__:
        if "__init__" in vars(each):
            for name, parameter in signature(vars(each)["__init__"]).parameters.items():
                if name != "self" and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                    declared.setdefault(name, each.__module__)
    return declared
