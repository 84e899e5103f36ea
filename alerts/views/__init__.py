"""The pages: they ask selectors and services, and hold no logic of their own."""
