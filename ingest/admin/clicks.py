"""Buttons of the admin that are links: another site must not press them through a browser."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

Act = Callable[..., HttpResponse]


def clicked_here(act: Act) -> Act:
    """Let an act run only for a click on a page of the admin.

    A browser sends the session's cookie with a link from anywhere, but no page of another site can
    forge the Referer. The pages of this site outside the admin do not count as ours either: signing
    in redirects to wherever a link said, and some pages show links that outsiders wrote.
    """

    @wraps(act)
    def guarded(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        came_from = urlsplit(request.headers.get("Referer", ""))
        in_the_admin = came_from.path.startswith(reverse("admin:index"))
        if in_the_admin and came_from.netloc == request.get_host():
            return act(self, request, *args, **kwargs)
        told = _("Nothing was done: use the button in the admin instead of opening this address.")
        messages.error(request, told)
        return redirect("admin:index")

    return guarded
