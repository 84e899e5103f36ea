"""What /openapi.json, /docs and /redoc tell of the API as a whole."""
