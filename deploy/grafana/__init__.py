"""Grafana's dashboards, written in Python; `build` makes the JSON, `check` proves the panels."""

import warnings

# The SDK advises its newer model, which Grafana does not read from provisioned files yet.
warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
