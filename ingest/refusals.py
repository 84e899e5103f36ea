"""A refusal says what is wrong and where; nothing has been stored when it is raised."""

from collections.abc import Sequence
from http import HTTPStatus

from msgspec import Struct

NAMED_AT_MOST = 100


class FieldError(Struct, frozen=True):
    """One thing that is wrong, at one place of the body."""

    field: str
    message: str


class Refused(Exception):
    """The request cannot be taken; the sender has to change it before sending it again."""

    def __init__(
        self,
        detail: str,
        errors: Sequence[FieldError] = (),
        *,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = list(errors[:NAMED_AT_MOST])
        more = len(errors) - len(self.errors)
        self.detail = f"{detail} {more} more not listed." if more else detail

    def body(self) -> dict[str, object]:
        """Return what the sender is told."""
        return {"detail": self.detail, "errors": self.errors}


def refused(field: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Refused:
    """Return the refusal of one thing."""
    return Refused(f"{field}: {message}", [FieldError(field, message)], status=status)
