"""Every test of the site begins in a process that remembers nothing of the one before."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.cache import cache

from detection.services.forgetting import forget_memory
from ingest.repeats.answers import known_marks
from ingest.services import forget_keys, forget_sources

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "reporting_tests"


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    forget_keys()
    forget_sources()
    forget_memory()
    cache.clear()
    known_marks.forget()


def on_database(url: str, *arguments: str) -> None:
    """Run Python on this database, outside of the tests' own settings."""
    environment = {
        **os.environ,
        "DATABASE_URL": url.replace("postgresql://", "postgres://"),
        "GUARDIAN_WEB_WORKERS": "1",
        "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
    }
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True)


@pytest.fixture(scope="session")
def reporting_url(postgres_url: str) -> str:
    """Give the address of a migrated database with the views of `reporting`, and their reader."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        connection.execute("CREATE ROLE guardian_reader LOGIN")
    url = urlsplit(postgres_url)._replace(path=f"/{DATABASE}").geturl()
    on_database(url, "manage.py", "migrate", "--verbosity", "0")
    on_database(url, "-m", "deploy.timescaledb.reporting", "create")
    return url
