"""Where tasks wait: an address of Redis, as Celery reads it."""

import re


def broker_at(address: str) -> str:
    """Return an address that Celery takes as the cache takes the one given.

    Celery names the scheme and the database of a socket otherwise, and asks a server for no
    certificate unless the address says so.

    Examples
    --------
    >>> broker_at("redis://redis:6379/0")
    'redis://redis:6379/0'
    >>> broker_at("unix:///run/redis.sock?db=2")
    'redis+socket:///run/redis.sock?virtual_host=2'
    >>> broker_at("rediss://redis:6379/0")
    'rediss://redis:6379/0?ssl_cert_reqs=required'
    """
    if address.startswith("unix://"):
        return "redis+socket" + re.sub(r"([?&])db=", r"\1virtual_host=", address[len("unix") :])
    if address.startswith("rediss://") and "ssl_cert_reqs=" not in address:
        return f"{address}{'&' if '?' in address else '?'}ssl_cert_reqs=required"
    return address
