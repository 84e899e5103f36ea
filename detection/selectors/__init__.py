"""The only readers of detection's rows."""
