"""
Metrics in three stages: decide what to ask, ask until whole, add up into rows.

Open ``export.py`` first. It leads to ``query.py`` (what to ask), ``fetch.py`` (ask until whole) and ``totals.py`` (add
up); ``timing.py`` has the ways in which LivePerson counts time. What each report is stands in ``client/reports.py``.
"""
