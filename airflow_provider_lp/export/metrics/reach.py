"""What to tell of a window that LivePerson no longer holds: how late the task is, and which schedule works."""

from __future__ import annotations

from airflow_provider_lp.client.report_parameters import MINUTES_PER_HOUR
from airflow_provider_lp.client.reports import Report
from airflow_provider_lp.export.metrics.buckets import MINUTE, MINUTE_MS
from airflow_provider_lp.windows import Window, from_ms


def out_of_reach(report: Report, window: Window, earliest_ms: int, now_ms: int) -> str:
    """
    The message.

    :param report: what was to be measured.
    :param window: when.
    :param earliest_ms: since when LivePerson holds it.
    :param now_ms: the present moment.
    """
    earliest = from_ms(earliest_ms).isoformat()
    if not report.needs_period:
        return (
            f"The window {window} begins more than {_words(report.reach // MINUTE)} ago, which is all that "
            f"LivePerson's {report.name} takes: start must not be before {earliest}."
        )
    if window.end_ms <= earliest_ms:
        lost = "all of it is"
    else:
        lost = f"its first {_words((earliest_ms - window.start_ms) // MINUTE_MS or 1)} are"
    late_ms = now_ms - window.end_ms
    late = f" This task asks {_words(late_ms // MINUTE_MS)} after the window's end." if late_ms >= 0 else ""
    recompute = (
        " For past windows, source_of_truth='conversations' recomputes this report from conversations."
        if report.recomputable
        else ""
    )
    return (
        f"The window {window} reaches further back than 24 h, which is all that LivePerson's Messaging Operations "
        f"holds (now since {earliest}): {lost} out of its reach.{late} A daily run always comes too late for its first "
        'minutes: schedule the DAG hourly, with CronDataIntervalTimetable("0 * * * *", timezone="UTC"), so that runs '
        f"and retries have 23 hours.{recompute}"
    )


def _words(minutes: int) -> str:
    hours, rest = divmod(max(minutes, 0), MINUTES_PER_HOUR)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
