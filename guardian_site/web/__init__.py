"""A request on its way in: the side of the server, and what every request passes."""
