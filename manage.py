#!/usr/bin/env python
"""Django's command line for Transaction Guardian."""

import os
import sys

from django.core.management import execute_from_command_line

from guardian_site.database_faults import ending_in_words

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardian_site.settings")
    with ending_in_words():
        execute_from_command_line(sys.argv)
