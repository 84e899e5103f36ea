"""Requests are UTF-8: JSON knows no other charset, nor do addresses."""

from django.core.handlers.wsgi import WSGIRequest


class Utf8Request(WSGIRequest):
    """A request that is read as UTF-8, whatever charset its content type names.

    Django would decode the query by it while the request is made, before anything can refuse it:
    Python knows encodings of no text (`bz2`), which raise, and such as take the longer for it.
    """

    @property
    def encoding(self) -> str | None:
        return None

    @encoding.setter
    def encoding(self, named: str | None) -> None:
        pass
