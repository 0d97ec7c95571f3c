"""Pages of HTML for people: one file each, offline."""
