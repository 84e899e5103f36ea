"""Who may do what: roles, rules of the routes, sign-in, keys at the door, audit."""
