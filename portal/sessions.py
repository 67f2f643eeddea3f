"""Django's sessions in PostgreSQL, found by a prepared statement: every request reads one."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from catalog.prepared import Lookup

_by_key = Lookup(Session, "session_key")


# The name of the class is part of what signs a session: this one reads what Django's own wrote.
class SessionStore(db.SessionStore):
    """What Django's own store does; only the lookup costs less."""

    def _get_session_from_db(self) -> Session | None:
        session = _by_key.get(self.session_key or "")
        if session is not None and session.expire_date > timezone.now():
            return session
        self._session_key = None
        return None
