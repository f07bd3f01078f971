"""What LivePerson's operators and sensors share: a client, and failures that are final."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonError,
    LivePersonPermissionError,
)
from airflow_provider_lp.compat import (
    AirflowFailException,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
)
from airflow_provider_lp.hooks.connection_ids import check_conn_id
from airflow_provider_lp.operators import lineage
from airflow_provider_lp.operators.literals import Literals, naming_the_misspelled, naming_the_task
from airflow_provider_lp.operators.observed import ObservedOperator

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient
    from airflow_provider_lp.windows import Window

log = logging.getLogger(__name__)

#: Errors whose message says all: what is wrong with LivePerson or a storage, or that Airflow ends the task.
TELLING = (LivePersonError, OSError, AirflowTaskTerminated, AirflowTaskTimeout)


class LivePersonOperator(ObservedOperator):
    """
    An operator that talks to LivePerson.

    What is wrong with its arguments as they stand in the DAG file is an import error of the file, also where it is
    mapped; what templates and other tasks give is checked by the same rules when it runs.

    :param liveperson_conn_id: the Airflow connection. (templated)
    """

    ui_color = "#fdeee2"

    def __init__(self, *, liveperson_conn_id: str = "liveperson_default", **kwargs: Any) -> None:
        with naming_the_misspelled(type(self), kwargs.get("task_id"), kwargs):
            super().__init__(**kwargs)
        self.liveperson_conn_id = liveperson_conn_id
        self._client: LivePersonClient | None = None
        #: What the task is about, once that is known.
        self._period: Window | None = None

    @classmethod
    def partial(cls, *, task_id: str, **kwargs: Any) -> Any:
        """The arguments that all mapped tasks have; see Airflow's dynamic task mapping."""
        with naming_the_task(task_id):
            cls.check_literals(Literals(kwargs, cls.template_fields, cls.template_ext))
        with naming_the_misspelled(cls, task_id, kwargs):
            return super().partial(task_id=task_id, **kwargs)

    def check_arguments(self) -> None:
        """
        Refuse what is wrong as it stands in the DAG file: what each constructor does at its end.

        :raises WrongArgumentError: naming task and argument.
        """
        with naming_the_task(self.task_id):
            self.check_literals(Literals(vars(self), self.template_fields, self.template_ext))

    def check_rendered(self) -> None:
        """
        Check all arguments, by the same rules, once their templates are rendered.

        :raises LivePersonConfigurationError: naming the argument.
        """
        self.check_literals(Literals(vars(self), self.template_fields, (), is_rendered=True))

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        """
        Check the arguments, as far as they are known.

        :raises LivePersonConfigurationError: naming the argument.
        """
        given.check("liveperson_conn_id", partial(check_conn_id, "liveperson_conn_id"))

    @property
    def reads(self) -> str:
        """What it reads of LivePerson, as lineage names it."""
        return lineage.CONVERSATIONS

    @property
    def undone(self) -> str:
        """What has not been done where the task fails, as the beginning of a sentence; empty where that is plain."""
        return ""

    @contextmanager
    def client(self, max_concurrency: int) -> Iterator[LivePersonClient]:
        """A client for the connection, as long as the block lasts."""
        from airflow_provider_lp.hooks.liveperson import LivePersonHook

        hook = LivePersonHook(self.liveperson_conn_id)
        with hook.get_conn(max_concurrency=max_concurrency) as client:
            self._client = client
            try:
                yield client
            finally:
                self._client = None
                self.count(
                    requests=client.requests,
                    retries=client.retries,
                    throttled_ms=round(client.throttled_s * 1000),
                    received_bytes=client.received_bytes,
                )
                self.has_read(lineage.of_liveperson(client.account_id, self.reads, hook))

    def final_failures(self) -> AbstractContextManager[None]:
        """
        Fail the task without retries where retrying cannot help, and in either case with one line.

        A traceback tells nothing about a throttling or a full disk; it is logged at level DEBUG.
        """
        return _ShortFailures(self)

    def failure_of(self, error: BaseException) -> BaseException:
        """What the task fails with after an error."""
        if not isinstance(error, LivePersonError) or error.retry_helps:
            if isinstance(error, LivePersonError | OSError) and self.undone:
                from airflow_provider_lp.export.outcomes import say_outcome

                say_outcome(error, self._outcome(error))
            return error
        message, connection = str(error), repr(self.liveperson_conn_id)
        is_about_it = isinstance(error, LivePersonAuthenticationError | LivePersonPermissionError)
        if (is_about_it or "Airflow connection" in message) and connection not in message:
            message += f" (Airflow connection {connection})"
        return AirflowFailException(message)

    def _outcome(self, error: Exception) -> str:
        """What a failure means for the task. The connection is told where it is LivePerson's, and only once."""
        period = f" for {self._period}" if self._period else ""
        connection = repr(self.liveperson_conn_id)
        is_told = not isinstance(error, LivePersonError) or connection in str(error)
        return self.undone + period + ("." if is_told else f" (Airflow connection {connection}).")

    def on_kill(self) -> None:
        """Ask LivePerson for nothing more, so that the task fails before it publishes anything."""
        if self._client is not None:
            log.warning("Stopping: the task was told to end.")
            self._client.abort()


class _ShortFailures(AbstractContextManager[None]):
    """
    Lets an error out of its block without the way it came.

    Airflow prints the traceback of whatever a task raises, with all that is chained to it. No generator could do this:
    it would bring the traceback back.

    :param operator: knows what to fail with.
    """

    def __init__(self, operator: LivePersonOperator) -> None:
        self._operator = operator

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, TELLING):
            return
        log.debug("This ends the task:", exc_info=error)
        failure = self._operator.failure_of(error)
        if failure is not error:
            raise failure from None
        error.__cause__ = error.__traceback__ = None
