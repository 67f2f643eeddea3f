"""What this sandbox is and is not: every operation it serves, by whom, and how far that goes."""
