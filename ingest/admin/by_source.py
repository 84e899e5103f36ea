"""Lists and forms that name sources, of which there may be a hundred thousand."""

from unfold.contrib.filters.admin import AutocompleteSelectFilter

# For `list_filter`: a source is found by typing a part of its name, not in a list of all of them.
BY_SOURCE = ("source", AutocompleteSelectFilter)


class BySource:
    """A list with that filter, which is a field to type in: it is sent with a button."""

    list_filter_submit = True
