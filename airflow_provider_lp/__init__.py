"""Apache Airflow provider for LivePerson Conversational Cloud."""
