"""Sensors that wait for something at LivePerson."""
