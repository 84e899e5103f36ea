#!/usr/bin/env python
"""Django's command line for Transaction Guardian."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import DatabaseError

from guardian_site.database_faults import in_words
from guardian_site.environment import SettingError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardian_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except SettingError as error:
        sys.exit(f"Setting refused: {error}")
    except DatabaseError as error:
        told = in_words(error)
        if told is None or "--traceback" in sys.argv:
            raise
        sys.exit(told)
