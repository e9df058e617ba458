"""A Django project as `startproject` makes it, on the same tables."""

from config.settings.base import *

DEBUG = False
ROOT_URLCONF = "benchmarks.peers.django_peers"
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES["default"]["NAME"] = env.str("BENCH_DATABASE")
# As with an untuned project.
DATABASES["default"]["OPTIONS"].pop("options", None)
REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
