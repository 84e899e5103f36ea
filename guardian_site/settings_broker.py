"""Where tasks wait: an address of Redis, as Celery reads it."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

# What both read from the query of an address, under the same names.
SAME = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")


def broker_at(address: str) -> str:
    """Return an address that Celery takes as the cache takes the one given.

    Celery names a socket and its database otherwise, has the database of a server in the path and
    the password before the host alone, asks a server for no certificate unless the address says
    so, and stops at what only concerns the connections of the cache, such as their timeouts.

    Examples
    --------
    >>> broker_at("redis://redis:6379/0")
    'redis://redis:6379/0'
    >>> broker_at("redis://redis:6379?db=2&socket_timeout=5")
    'redis://redis:6379/2'
    >>> broker_at("unix:///run/redis.sock?db=2")
    'redis+socket:///run/redis.sock?virtual_host=2'
    >>> broker_at("rediss://redis:6379/0")
    'rediss://redis:6379/0?ssl_cert_reqs=required'
    """
    parts = urlsplit(address)
    if parts.scheme not in ("redis", "rediss", "unix"):
        return address
    asked = dict(parse_qsl(parts.query))
    told = {name: asked[name] for name in SAME if name in asked}
    scheme, place, path = parts.scheme, parts.netloc, parts.path
    if "@" not in place and ("password" in asked or "username" in asked):
        names = (quote(asked.get(name, ""), safe="") for name in ("username", "password"))
        place = ":".join(names) + "@" + place
    if scheme == "unix":
        scheme = "redis+socket"
        told |= {"virtual_host": asked["db"]} if "db" in asked else {}
    elif "db" in asked:
        path = "/" + asked["db"]
    if scheme == "rediss":
        told.setdefault("ssl_cert_reqs", "required")
    return f"{scheme}://{place}{path}" + ("?" + urlencode(told) if told else "")
