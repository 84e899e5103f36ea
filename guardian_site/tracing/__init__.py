"""Traces from the report to the message sent; nothing here is imported unless they are asked for.

Settings turn them on when the standard variables name a collector (OTEL_EXPORTER_OTLP_ENDPOINT).
Between processes a trace goes on by the headers of a task, and by a row beside the rows that one
stage leaves to the next.
"""
