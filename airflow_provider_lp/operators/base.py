"""What LivePerson's operators and sensors share: a client, and failures that are final."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonError,
    LivePersonPermissionError,
)
from airflow_provider_lp.compat import AirflowFailException, BaseOperator

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

log = logging.getLogger(__name__)


class LivePersonOperator(BaseOperator):
    """
    An operator that talks to LivePerson.

    :param liveperson_conn_id: the Airflow connection. (templated)
    """

    ui_color = "#fdeee2"

    def __init__(self, *, liveperson_conn_id: str = "liveperson_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.liveperson_conn_id = liveperson_conn_id
        self._client: LivePersonClient | None = None

    @contextmanager
    def client(self, max_concurrency: int) -> Iterator[LivePersonClient]:
        """A client for the connection, as long as the block lasts."""
        from airflow_provider_lp.hooks.liveperson import LivePersonHook

        with LivePersonHook(self.liveperson_conn_id).get_conn(max_concurrency=max_concurrency) as client:
            self._client = client
            try:
                yield client
            finally:
                self._client = None

    @contextmanager
    def final_failures(self) -> Iterator[None]:
        """Fail the task without retries where retrying cannot help."""
        try:
            yield
        except (LivePersonAuthenticationError, LivePersonPermissionError) as error:
            raise AirflowFailException(f"{error} (Airflow connection {self.liveperson_conn_id!r})") from error
        except LivePersonError as error:
            if error.retry_helps:
                raise
            raise AirflowFailException(str(error)) from error

    def on_kill(self) -> None:
        """Ask LivePerson for nothing more, so that the task fails before it publishes anything."""
        if self._client is not None:
            log.warning("Stopping: the task was told to end.")
            self._client.abort()
