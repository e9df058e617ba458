"""Production: refuses to start with what only suits development."""

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from config.settings.base import *

if SECRET_KEY == INSECURE_SECRET_KEY or len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("Set SECRET_KEY to at least 50 random characters.")
if env.bool("DEBUG", False):
    raise ImproperlyConfigured("DEBUG cannot be switched on with config.settings.production.")

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SECURE_CSP = {"default-src": [CSP.SELF], "img-src": [CSP.SELF, "data:"], "object-src": [CSP.NONE]}
