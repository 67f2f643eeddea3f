from __future__ import annotations

import json
import stat

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from catalog.models import AuditEntry, User
from portal import people
from tests import make
from ui.roles import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> User:
    ada = make.admin("ada")
    client.force_login(ada)
    return ada


def first_run(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    capsys.readouterr()
    call_command("first_run")
    return json.loads(capsys.readouterr().out)["users"]


def test_the_first_run_makes_one_person_for_each_role(
    capsys: pytest.CaptureFixture[str], client: Client
) -> None:
    made = first_run(capsys)

    assert {user["username"]: user["role"] for user in made} == {
        "admin": "admin",
        "anna": "approver",
        "olga": "operator",
        "vera": "viewer",
    }
    assert all(client.login(username=u["username"], password=u["password"]) for u in made)
    assert len({user["password"] for user in made}) == 4


def test_later_runs_tell_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    first_run(capsys)

    assert first_run(capsys) == []
    assert User.objects.count() == 4


def test_a_portal_with_people_gets_no_known_names(capsys: pytest.CaptureFixture[str]) -> None:
    make.user("somebody")

    assert first_run(capsys) == []
    assert not User.objects.filter(username="admin").exists()


def test_in_development_the_passwords_are_kept_for_the_owner_only(
    capsys: pytest.CaptureFixture[str], settings: object, tmp_path: object
) -> None:
    settings.ENVIRONMENT, settings.HOME = "development", tmp_path / "home"

    made = first_run(capsys)

    kept = tmp_path / "home" / "sign-in.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert f"olga  {made[2]['password']}  (operator)" in kept.read_text()


def test_elsewhere_the_passwords_are_kept_nowhere(
    capsys: pytest.CaptureFixture[str], settings: object, tmp_path: object
) -> None:
    settings.ENVIRONMENT, settings.HOME = "production", tmp_path

    first_run(capsys)

    assert list(tmp_path.iterdir()) == []


def test_a_person_is_added_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_PASSWORD", "long enough 12")

    call_command("add_user", "otto", "--role", "operator")

    otto = User.objects.get(username="otto")
    assert (otto.role, otto.check_password("long enough 12")) == ("operator", True)
    assert AuditEntry.objects.get().action == "people.add"


@pytest.mark.parametrize(
    ("name", "password"), [("otto", "short"), ("otto", "password1234"), ("", "long enough 12")]
)
def test_a_weak_password_or_a_missing_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, password: str
) -> None:
    monkeypatch.setenv("QUARTERDECK_PASSWORD", password)

    with pytest.raises(CommandError):
        call_command("add_user", name)

    assert not User.objects.exists()


def test_an_admin_changes_a_role_and_it_is_audited(client: Client, ada: User) -> None:
    vera = make.user("vera")

    client.post(f"/people/{vera.pk}/", {"role": "operator", "active": "on"})

    vera.refresh_from_db()
    assert vera.role == "operator"
    entry = AuditEntry.objects.get(action="people.change_role")
    assert (entry.actor, entry.detail) == (ada, {"from": "viewer", "to": "operator"})


def test_an_admin_deactivates_a_person_whose_session_ends(client: Client, ada: User) -> None:
    vera = make.user("vera")
    hers = Client()
    hers.force_login(vera)

    client.post(f"/people/{vera.pk}/", {"role": "viewer"})

    assert hers.get("/services/").status_code == 302
    assert AuditEntry.objects.filter(action="people.deactivate", target="user:vera").exists()


@pytest.mark.parametrize("wanted", [{"role": "viewer", "active": "on"}, {"role": "admin"}])
def test_nobody_takes_away_their_own_access(
    client: Client, ada: User, wanted: dict[str, str]
) -> None:
    answer = client.post(f"/people/{ada.pk}/", wanted, follow=True)

    ada.refresh_from_db()
    assert (ada.role, ada.is_active) == ("admin", True)
    assert "ask another admin" in answer.content.decode()


def test_other_fields_of_a_person_cannot_be_set(client: Client, ada: User) -> None:
    vera = make.user("vera")

    client.post(
        f"/people/{vera.pk}/",
        {"role": "viewer", "active": "on", "is_superuser": "on", "username": "root"},
    )

    vera.refresh_from_db()
    assert (vera.username, vera.is_superuser) == ("vera", False)


def test_a_role_that_does_not_exist_is_refused(client: Client, ada: User) -> None:
    vera = make.user("vera")

    answer = client.post(f"/people/{vera.pk}/", {"role": "root", "active": "on"}, follow=True)

    vera.refresh_from_db()
    assert vera.role == "viewer"
    assert "Choose one of the roles." in answer.content.decode()


def test_a_new_person_gets_a_password_that_is_shown_once(client: Client, ada: User) -> None:
    answer = client.post("/people/add/", {"username": "otto", "role": "operator"}, follow=True)

    shown = answer.content.decode()
    password = shown.partition("can sign in with ")[2].partition(" ")[0]
    assert User.objects.get(username="otto").check_password(password)
    assert password not in client.get("/people/").content.decode()
    assert password not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


@pytest.mark.parametrize(
    ("username", "words"), [("ada", "already exists"), ("", "Choose a name"), ("a b", "valid")]
)
def test_a_name_that_is_taken_or_none_is_refused(
    client: Client, ada: User, username: str, words: str
) -> None:
    answer = client.post("/people/add/", {"username": username, "role": "viewer"}, follow=True)

    assert words in answer.content.decode()
    assert User.objects.count() == 1


def test_a_stale_admin_is_stopped_by_the_operation() -> None:
    ada = make.admin("ada")

    with pytest.raises(people.NotAllowed):
        people.set_active(person=ada, active=False, by=ada)

    assert Role(ada.role) is Role.ADMIN
