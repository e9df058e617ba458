"""System checks name settings that contradict each other."""

import pytest
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from config import checks


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def test_the_suites_own_settings_are_consistent() -> None:
    assert checks.check_pool_or_persistent() == []
    assert checks.check_replica_has_primary() == []
    assert checks.check_cache_is_not_broker() == []


def test_a_pool_and_persistent_connections_exclude_each_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {"pool": {"max_size": 4}})
    assert settings.DATABASES["default"]["CONN_MAX_AGE"] != 0
    assert ids(checks.check_pool_or_persistent()) == ["aviary.E001"]


def test_a_replica_needs_a_primary_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("REPLICA_URL", "postgres://replica/aviary")
    assert ids(checks.check_replica_has_primary()) == ["aviary.E002"]


def test_the_cache_and_the_broker_may_not_share_a_database(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = settings.CACHES["default"]["LOCATION"]
    assert ids(checks.check_cache_is_not_broker()) == ["aviary.E003"]


def test_a_redirect_to_https_without_a_proxy_is_pointed_out(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert ids(checks.check_somebody_ends_tls()) == ["aviary.W001"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert checks.check_somebody_ends_tls() == []


def test_embedded_services_in_production_are_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "CACHE_URL", "BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    assert ids(checks.check_services_are_yours()) == ["aviary.W002"]
