"""What can be waited for at LivePerson, and one poll of it; open ``base`` first. Knows nothing of Airflow."""
