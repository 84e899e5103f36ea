"""Traces from the report to the message sent; nothing here is imported unless they are asked for.

Settings turn them on when the standard variables name a collector (OTEL_EXPORTER_OTLP_ENDPOINT).
From process to process a trace continues by the headers of a task, and by marks (`TraceMark`)
beside the rows that one stage leaves to the next.
"""
