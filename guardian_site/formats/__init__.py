"""How the admin writes moments: as the pages do, by the 24-hour clock."""
