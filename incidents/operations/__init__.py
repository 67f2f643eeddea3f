"""Every write to an incident. Each operation happens, with its timeline entry, or raises."""

from incidents.operations.editing import edit_milestone
from incidents.operations.filing import file
from incidents.operations.record import CannotChange, ChangedMeanwhile
from incidents.operations.roles import assign, release
from incidents.operations.status import change_severity, move
from incidents.operations.updates import add_note, pin, unpin

__all__ = [
    "CannotChange",
    "ChangedMeanwhile",
    "add_note",
    "assign",
    "change_severity",
    "edit_milestone",
    "file",
    "move",
    "pin",
    "release",
    "unpin",
]
