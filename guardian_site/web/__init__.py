"""What a request passes on its way in: the WSGI layers and the middleware."""
