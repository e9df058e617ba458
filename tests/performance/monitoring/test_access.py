import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from agents.models import Profile
from performance.urls import urlpatterns
from tests.performance.monitoring.conftest import KEY

PUBLIC = {"live", "ready"}
PATHS = sorted("/" + str(entry.pattern) for entry in urlpatterns if entry.name not in PUBLIC)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "post"])
class TestEveryRoute:
    def test_a_stranger_is_sent_away(self, path: str, method: str, settings: Settings) -> None:
        settings.MONITORING_KEY = KEY
        response = getattr(Client(), method)(path)
        assert response.status_code == 401
        assert KEY not in response.content.decode()

    def test_a_wrong_or_empty_key_is_refused(self, path: str, method: str, settings: Settings) -> None:
        for configured, offered in ((KEY, "Bearer wrong"), (KEY, f"Basic {KEY}"), ("", "Bearer "), (KEY, "Bearer é")):
            settings.MONITORING_KEY = configured
            assert getattr(Client(headers={"Authorization": offered}), method)(path).status_code == 401

    def test_a_person_who_is_not_staff_is_refused(self, path: str, method: str, bob: Profile) -> None:
        client = Client()
        assert bob.user
        client.force_login(bob.user)
        assert getattr(client, method)(path).status_code == 403

    def test_the_key_opens_it(self, path: str, method: str, operator: Client) -> None:
        assert getattr(operator, method)(path).status_code in (200, 405)


def test_a_browser_is_sent_to_the_log_in(client: Client, db: None) -> None:
    response = client.get("/performance/", headers={"Accept": "text/html"})
    assert response.status_code == 302
    assert response["Location"] == "/admin/login/?next=/performance/"


def test_a_session_needs_its_csrf_token_to_change_something(staff: Client) -> None:
    assert staff.get("/performance/cache-stats").status_code == 200
    assert staff.post("/health/cache/clear").status_code == 403


def test_nothing_is_kept_by_caches_on_the_way(operator: Client) -> None:
    assert "no-store" in operator.get("/performance/metrics")["Cache-Control"]
