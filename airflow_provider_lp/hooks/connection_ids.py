"""Arguments that name an Airflow connection."""

from __future__ import annotations

from airflow_provider_lp.client.errors import LivePersonConfigurationError


def check_conn_id(name: str, conn_id: object) -> None:
    """
    Refuse what is no id of a connection.

    :param name: the argument's name, for the error.
    :raises LivePersonConfigurationError: naming the argument.
    """
    if not isinstance(conn_id, str) or conn_id.strip() in ("", "None"):
        raise LivePersonConfigurationError(
            f"{name}={conn_id!r} must be the id of an Airflow connection. (None, or an empty text, comes from a "
            "template whose value this run does not have.)"
        )
