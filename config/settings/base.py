"""Settings shared by every run mode. What differs by mode lives beside this file."""

from pathlib import Path
from typing import Any

import django_stubs_ext
from celery.schedules import crontab
from django.utils.csp import CSP
from environs import Env
from kombu import Queue

from config import embedded
from config.settings.databases import database, replica
from config.settings.generation import *
from config.settings.knowledge import *
from config.settings.publishing import *

# Makes the generic classes that the type checker knows subscriptable at run time.
django_stubs_ext.monkeypatch()

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent.parent

INSECURE_SECRET_KEY = "insecure-development-key"
SECRET_KEY = env.str("SECRET_KEY", INSECURE_SECRET_KEY)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
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
    "django_htmx",
    "performance",
    "agents",
    "agents.inbox",
    "agents.knowledge",
    "posts",
    "posts.generation",
    "posts.publishing",
    "feed",
    "config",
]

MIDDLEWARE = [
    "performance.middleware.measure_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "feed.pages.errors.ExplainRefusals",
    "performance.middleware.DatabaseUnavailable",
]

# What of it a request to the API without a session needs; see config/handlers.py.
KEY_MIDDLEWARE = [
    "performance.middleware.measure_requests",
    "config.middleware.Envelope",
    "performance.middleware.DatabaseUnavailable",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {
            "environment": "feed.pages.environment.environment",
            "context_processors": [
                "django.contrib.messages.context_processors.messages",
                "feed.pages.viewers.viewer_context",
                "feed.pages.environment.page_context",
            ],
        },
    },
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
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": database(env, variable="DATABASE_URL", default=embedded.postgres_settings),
}
# Where reads that may be a moment old go, and how old what it shows may be; see performance/replica.
if env.str("REPLICA_URL", ""):
    DATABASES["replica"] = replica(env, variable="REPLICA_URL")
    DATABASE_ROUTERS = ["performance.replica.router.ReplicaRouter"]
REPLICA_MAX_LAG_SECONDS = env.float("REPLICA_MAX_LAG_SECONDS", 5)
# Off for poolers in transaction mode that do not follow prepared statements (PgBouncer before 1.21).
PREPARE_STATEMENTS = env.bool("PREPARE_STATEMENTS", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": env.str("CACHE_URL", embedded.valkey_url(database=0)),
        "KEY_PREFIX": "aviary",
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.25,
            # One per thread at most; the pool raises beyond its bound, as if Valkey were gone.
            "CONNECTION_POOL_KWARGS": {"max_connections": 1000},
        },
    }
}

# What the caches may take of Valkey, and the largest value worth keeping.
CACHE_MAX_ENTRIES = env.int("CACHE_MAX_ENTRIES", 10_000)
CACHE_MAX_BYTES = env.int("CACHE_MAX_BYTES", 64_000_000)
CACHE_MAX_ENTRY_BYTES = env.int("CACHE_MAX_ENTRY_BYTES", 1_000_000)
# Seconds that an answer to GET may be served to its own viewer again; the first pattern that matches the whole
# path decides, and what matches none is never kept. What happens to the post, author or community that a group
# names ends the answer at once: these may live longer than the others.
RESPONSE_CACHE_SECONDS = {
    r"/api/(feed|explore|search)": 30,
    r"/api/posts/(?P<post>[0-9]+)(/comments)?": 300,
    r"/api/users/(?P<author>[^/]+)(/posts)?": 180,
    r"/api/communities/(?P<community>[^/]+)/posts": 120,
    # Whoever is told of something is told at once: the version of their own answers changes.
    r"/api/notifications/unread": 30,
    r"/api/(agents|communities)(/[^/]+)?": 120,
    r"/api/(cards|attributions)(/.*)?": 120,
    r"/api/(tokens|query/rag)(/.*)?": 60,
    r"/api/scrape(/.*)?": 300,
}
# An unsafe request to these paths may change what everyone sees: the staff's tools.
RESPONSE_CACHE_WITHDRAWN_BY = ("/admin/",)
# Seconds that a web process may believe what it knows of a key while Valkey says that nothing has happened to it.
API_KEY_RECALLED_SECONDS = env.float("API_KEY_RECALLED_SECONDS", 30)
RESPONSE_CACHE_MAX_ENTRIES = env.int("RESPONSE_CACHE_MAX_ENTRIES", 10_000)
RESPONSE_CACHE_MAX_BYTES = env.int("RESPONSE_CACHE_MAX_BYTES", 128_000_000)

CELERY_BROKER_URL = env.str("BROKER_URL", embedded.broker_url(database=1))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Who pokes a worker does not wait for a broker that is away (six seconds by default): the next sweep finds the row.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0}
CELERY_TASK_ROUTES = {"posts.generation.tasks.*": {"queue": "generation"}}
# A worker that is not told which queues to serve serves all of them.
CELERY_TASK_QUEUES = [Queue("celery"), Queue("generation")]
# What is due stands in rows: beat need not remember what it sent, in a file that can be locked or damaged. What comes
# seldom comes by the clock, or a beat that is started again and again would never get there.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE |= KNOWLEDGE_BEAT | {
    # With a lease of 15 seconds, a run whose worker died goes on within 25.
    "start-answers": {"task": "posts.generation.tasks.start_answers", "schedule": 3.0},
    "resume-runs": {"task": "posts.generation.tasks.resume_runs", "schedule": 10.0},
    "build-exports": {"task": "feed.tasks.build_exports", "schedule": 30.0, "options": {"expires": 30}},
    # Poked when somebody leaves; this goes on with what was killed, and ends what had to wait.
    "erase-those-who-leave": {"task": "feed.tasks.erase_those_who_leave", "schedule": 15.0, "options": {"expires": 15}},
    "start-runs-of-cadences": {"task": "posts.generation.tasks.start_runs_of_cadences", "schedule": 30.0},
    "prune": {"task": "agents.tasks.prune", "schedule": crontab(minute=40), "options": {"expires": 3600}},
}

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
LOGIN_URL = "reader:log-in"
LOGIN_REDIRECT_URL = "reader:home"
# Which know whose they are, so that people can see and end theirs.
SESSION_ENGINE = "agents.sessions"

SECURE_CSP: dict[str, list[str]] = {
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
STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "staticfiles")
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", BASE_DIR / "media")
# Files of everything that one person has: never under MEDIA_ROOT, which everybody may read.
EXPORTS_ROOT = env.path("EXPORTS_ROOT", BASE_DIR / "exports")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "exports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": EXPORTS_ROOT,
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}

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
    # The format that PostgreSQL writes too, in prepared reads.
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "DEFAULT_VERSIONING_CLASS": "agents.api.negotiation.UsualVersioning",
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
# Server-sent events: how many streams a web process holds at a time, each with a thread, and for how long. Who finds
# no place polls the same endpoint.
EVENT_STREAMS = env.int("EVENT_STREAMS", 8)
EVENT_STREAM_SECONDS = env.float("EVENT_STREAM_SECONDS", 60)

SPECTACULAR_SETTINGS = {
    "TITLE": "Aviary",
    "DESCRIPTION": "A social network for AI agents. Errors are RFC 9457 problem details; lists page by cursor.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AccountState": "posts.publishing.models.SocialAccount.State",
        "ExportState": "feed.models.Export.State",
        "LeavingState": "agents.models.Leaving.State",
        "NotificationKind": "agents.models.Notification.Kind",
        "PostKind": "posts.models.Post.Kind",
        "ProfileKind": "agents.models.Profile.Kind",
        "PublicationStatus": "posts.publishing.states.Status",
        "ResearchStatus": "agents.knowledge.models.ResearchSession.Status",
        "RunState": "posts.generation.models.Run.State",
        "Scope": "agents.models.ApiKey.Scope",
        "SourceKind": "agents.knowledge.models.Source.Kind",
        "SourceStatus": "agents.knowledge.models.Source.Status",
        "StepState": "posts.generation.models.runs.RunStep.State",
    },
}

# Monitoring. Seconds, except the shares (0 to 1). Requests, functions and queries above the threshold are
# logged as warnings, above twice the threshold as errors.
ENABLE_PERFORMANCE_LOGGING = env.bool("ENABLE_PERFORMANCE_LOGGING", True)
SLOW_QUERY_THRESHOLD = env.float("SLOW_QUERY_THRESHOLD", 0.5)
METRICS_FLUSH_SECONDS = env.float("METRICS_FLUSH_SECONDS", 5)
MONITORING_KEY = env.str("MONITORING_KEY", "")
ALERT_API_SECONDS = env.float("ALERT_API_SECONDS", 1)
ALERT_QUERY_SECONDS = env.float("ALERT_QUERY_SECONDS", 2)
ALERT_POOL_SHARE = env.float("ALERT_POOL_SHARE", 0.8)
ALERT_MEMORY_SHARE = env.float("ALERT_MEMORY_SHARE", 0.8)
ALERT_RECOVERY_SECONDS = env.float("ALERT_RECOVERY_SECONDS", 60)
ALERT_WEBHOOK_URL = env.str("ALERT_WEBHOOK_URL", "")
