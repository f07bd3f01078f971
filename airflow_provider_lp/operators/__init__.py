"""
Operators: what a DAG's author writes.

Open ``conversations.py`` or ``metrics.py`` first: an operator's ``execute`` is the whole way of an export.
``planning.py`` cuts a long period into windows for mapped exports, ``reconciling.py`` proves what was exported. What
they share is in ``base.py`` (a client, final failures), ``export.py`` (the arguments of the output), ``output.py`` (the
object that is published, and who is told) and ``paths.py`` (what ``path`` may be). ``context.py`` and ``templates.py``
read what Airflow and its templates give.
"""
