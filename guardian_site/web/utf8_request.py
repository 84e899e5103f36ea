"""Requests are UTF-8: JSON knows no other charset, nor do addresses."""

from typing import Any

from django.core.handlers.wsgi import LimitedStream, WSGIRequest

from guardian_site.web.chunks import comes_in_chunks
from guardian_site.web.programs import comes_from_a_program, names_a_page
from ingest.parsing.bodies import LARGEST_BODY


class Utf8Request(WSGIRequest):
    """A request that is read as UTF-8, whatever charset its content type names.

    Django would decode the query by that charset while it makes the request, before anything can
    refuse it: some of Python's encodings are not of text (`bz2`) and raise, others are slow.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        in_chunks = comes_in_chunks(environ)
        if not environ.get("CONTENT_TYPE") and (in_chunks or environ.get("CONTENT_LENGTH")):
            _tell_type(environ)
        super().__init__(environ)
        if in_chunks:
            # Without a length Django would read nothing; a route may read less (RouteRules).
            self._stream = LimitedStream(  # type: ignore[assignment]  # as Django itself does
                environ["wsgi.input"], LARGEST_BODY + 1
            )

    def get_host(self) -> str:
        """Return the Host: any is accepted of a program, which knows whom it asked."""
        if comes_from_a_program(self.META):
            return str(self._get_raw_host())  # type: ignore[attr-defined]  # not in the stubs
        return super().get_host()

    @property
    def encoding(self) -> str | None:
        return None

    @encoding.setter
    def encoding(self, named: str | None) -> None:
        pass


def _tell_type(environ: dict[str, Any]) -> None:
    """A body without a type is taken for JSON if a program sends it: some libraries name none.

    A web page, too, can send a body without a type to another site, without asking it first. Pages
    name themselves (Origin, Referer), so theirs stays without a type and is refused.
    """
    if not names_a_page(environ):
        environ["CONTENT_TYPE"] = "application/json"
