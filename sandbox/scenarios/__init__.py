"""Incidents as files of steps, replayed the same way every time."""
