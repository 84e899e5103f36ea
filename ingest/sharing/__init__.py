"""Requests that wait at the same moment share a round trip, and a commit."""
