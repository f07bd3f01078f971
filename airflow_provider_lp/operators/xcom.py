"""How much may go through XCom."""

from __future__ import annotations

from airflow_provider_lp.client.errors import LivePersonConfigurationError

DEFAULT_MAX_XCOM_BYTES = 1 << 20


def check_max_xcom_bytes(max_xcom_bytes: object) -> None:
    """
    Refuse what is no number of bytes.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if type(max_xcom_bytes) is not int or max_xcom_bytes < 1:
        raise LivePersonConfigurationError(
            f"max_xcom_bytes={max_xcom_bytes!r} must be a whole number of bytes above 0."
        )
