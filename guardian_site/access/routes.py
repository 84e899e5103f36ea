"""Every route of the site, for the table and for the test that none is without a rule."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from guardian_site.access.rules import unnamed


def all_routes() -> dict[str, str]:
    """Return the path of each route, by its key in the rules."""
    return dict(_routes(get_resolver().url_patterns, "", ""))


def _routes(
    patterns: list[URLPattern | URLResolver], path: str, namespace: str
) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        full = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = ":".join(name for name in (namespace, pattern.namespace) if name)
            yield from _routes(pattern.url_patterns, full, inner)
        else:
            yield _key(namespace, pattern.name, full), full


def _key(namespace: str, name: str | None, path: str) -> str:
    if name is None:
        return unnamed(namespace, path)
    return f"{namespace}:{name}" if namespace else name
