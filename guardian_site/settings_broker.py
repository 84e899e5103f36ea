"""The address of the task broker: one of Redis, written as Celery reads it."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

# Parameters of an address that the cache and Celery read under the same names.
SAME = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")


def broker_at(address: str) -> str:
    """Return the address under which Celery finds the Redis that the cache finds at `address`.

    Celery has other names for a socket and for its database. On a server it reads the database from
    the path only, and the password only before the host; it checks no certificate unless the
    address says so, and refuses parameters of the cache's connections, such as timeouts.

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
