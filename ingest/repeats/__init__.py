"""A report that was answered a moment ago is answered again from the cache."""
