"""Proves the panels: every query is run, and key ones are compared with the truth."""
