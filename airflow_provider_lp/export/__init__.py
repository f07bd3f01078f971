"""
From pages of conversations to published objects. Knows nothing of Airflow: a path object is passed in.

Open ``conversations.py`` first: one export from start to end. ``query.py`` says which searches it takes,
``download.py`` which request comes next, ``paging.py`` when a search is whole, and ``publishing.py`` writes.
``lookup.py`` finds conversations by id, ``metrics/`` makes rows.
"""
