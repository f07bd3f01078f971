"""The table of API methods, authentications and versions that the code follows, as Markdown for people."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_lp.client.interactions import API_VERSION
from airflow_provider_lp.client.reports import REPORTS
from airflow_provider_lp.client.versions import AUTHENTICATIONS, Version, candidates

ORDINALS = ("asked first", "asked second")


def as_markdown() -> str:
    """The table: a line for each version of each method, a column for each authentication."""
    everyone = Version(int(API_VERSION), accepts=frozenset(AUTHENTICATIONS))
    lines = [
        ("report or search", "`v`", "takes", *(f"`{name}`" for name in AUTHENTICATIONS)),
        ("---",) * (3 + len(AUTHENTICATIONS)),
        ("conversations", f"`{everyone.number}`", "", *("yes" for _ in AUTHENTICATIONS)),
    ]
    for report in REPORTS.values():
        lines += (
            (
                f"`{report.name}` (`{report.endpoint}`)",
                f"`{version.number}`" + ("" if version.is_documented else ", undocumented"),
                "a period" if version.by_period else "a timeframe" if "timeframe" in report.parameters else "",
                *(_offer(report.versions, version, name) for name in AUTHENTICATIONS),
            )
            for version in report.versions
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _offer(versions: Iterable[Version], version: Version, authentication: str) -> str:
    """What one version does for one authentication."""
    if authentication in version.accepts:
        return "yes"
    if authentication in version.refuses:
        return "no"
    for_periods = candidates(list(versions), authentication, by_period=True, either=False)
    otherwise = candidates(list(versions), authentication, by_period=False, either=True)
    asked = ["asked for periods"] if version in for_periods else []
    asked += [ORDINALS[otherwise.index(version)]] if version in otherwise else []
    return ", else ".join(asked) or "not asked"
