"""The only readers of what the alerts app keeps."""
