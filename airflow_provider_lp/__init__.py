"""Apache Airflow provider for LivePerson Conversational Cloud. ``docs/how-it-is-built.md`` is the map of its code."""
