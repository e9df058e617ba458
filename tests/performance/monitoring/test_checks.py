import pytest
from pytest_django.fixtures import Settings

from performance import checks


def ids(found: list[object]) -> list[str]:
    return [message.id for message in found]  # type: ignore[attr-defined]


def test_silk_is_refused_in_production(settings: Settings) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "silk"]
    settings.SILKY_AUTHENTICATION = settings.SILKY_AUTHORISATION = True
    settings.DEBUG = False
    assert ids(checks.check_silk_stays_out_of_production()) == ["performance.E001"]
    settings.IS_STAGING = True
    assert ids(checks.check_silk_stays_out_of_production()) == []


def test_silk_is_refused_unmasked_or_open(settings: Settings) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "silk"]
    settings.DEBUG = True
    assert ids(checks.check_silk_stays_out_of_production()) == ["performance.E002"]


@pytest.mark.parametrize(("key", "found"), [("", []), ("short", ["performance.E003"]), ("k" * 32, [])])
def test_a_short_monitoring_key_is_refused(settings: Settings, key: str, found: list[str]) -> None:
    settings.MONITORING_KEY = key
    assert ids(checks.check_monitoring_key_is_long()) == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", []),
        ("https://hooks.example.org/x", []),
        ("file:///etc/passwd", ["performance.E004"]),
        ("http://", ["performance.E004"]),
    ],
)
def test_a_webhook_must_be_http(settings: Settings, url: str, found: list[str]) -> None:
    settings.ALERT_WEBHOOK_URL = url
    assert ids(checks.check_webhook_is_http()) == found
