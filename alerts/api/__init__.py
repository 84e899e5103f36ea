"""Incidents, silences, reports and the doors for other systems, as JSON."""
