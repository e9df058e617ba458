"""The test suite: real PostgreSQL and Valkey, instances of its own, nothing mocked."""

from config.settings.base import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = False
