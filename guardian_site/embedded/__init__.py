"""All of Guardian under one parent, in one folder: what `manage.py run` and `demo` start."""
