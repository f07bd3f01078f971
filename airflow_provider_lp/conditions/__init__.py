"""What can be waited for at LivePerson. Knows nothing of Airflow: sensors and triggers look with the same eyes."""
