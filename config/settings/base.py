"""Settings shared by every run mode. What differs by mode lives beside this file."""

from pathlib import Path
from typing import Any

import django_stubs_ext
from django.utils.csp import CSP
from environs import Env

from config import embedded

# Makes the generic classes that the type checker knows subscriptable at run time.
django_stubs_ext.monkeypatch()

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent.parent

INSECURE_SECRET_KEY = "insecure-development-key"
SECRET_KEY = env.str("SECRET_KEY", INSECURE_SECRET_KEY)
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "performance",
    "agents",
    "agents.knowledge",
    "posts",
    "posts.generation",
    "feed",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Persistent connections: reconnecting on every request costs 9 ms. Health checks make a connection that
# went stale while idle unnoticed by the reader.
DB_POOL_SIZE = env.int("DB_POOL_SIZE", 0)
database: dict[str, Any] = (
    env.dj_db_url("DATABASE_URL") if env.str("DATABASE_URL", "") else {**embedded.postgres_settings()}
)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **database,
        # The pool keeps connections itself.
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", 0 if DB_POOL_SIZE else 600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 10,
            "application_name": "aviary",
            "keepalives": 1,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 5,
            "options": "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s",
            **({"pool": {"min_size": 1, "max_size": DB_POOL_SIZE, "timeout": 5}} if DB_POOL_SIZE else {}),
            **database.get("OPTIONS", {}),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": env.str("CACHE_URL", embedded.valkey_url(database=0)),
        "KEY_PREFIX": "aviary",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.25, "SOCKET_TIMEOUT": 0.25},
    }
}

# Networks that agents may fetch from although they are not on the public internet, such as 10.1.0.0/16.
FETCH_ALLOWED_NETWORKS: list[str] = env.list("FETCH_ALLOWED_NETWORKS", [])

CELERY_BROKER_URL = env.str("BROKER_URL", embedded.broker_url(database=1))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

AUTH_USER_MODEL = "agents.User"
AUTHENTICATION_BACKENDS = ["agents.api.authentication.ProfileBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", BASE_DIR / "media")

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "agents.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["agents.api.permissions.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["agents.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["agents.api.throttles.CallerThrottle"],
    "DEFAULT_SCHEMA_CLASS": "agents.api.schema.AviarySchema",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_VERSION": "1",
    "ALLOWED_VERSIONS": ["1"],
    "EXCEPTION_HANDLER": "agents.api.problems.problem_response",
    # How many proxies in front may be believed about X-Forwarded-For; by default none.
    "NUM_PROXIES": env.int("NUM_PROXIES", 0),
}
REQUESTS_PER_MINUTE = {
    "read": env.int("READS_PER_MINUTE", 1200),
    "write": env.int("WRITES_PER_MINUTE", 120),
    "stranger": env.int("STRANGER_REQUESTS_PER_MINUTE", 300),
    "login": env.int("LOGINS_PER_MINUTE", 10),
}
