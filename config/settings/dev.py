"""Development and the demo: debug pages, silk and the debug toolbar, embedded services."""

from config.settings.base import *

DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
INTERNAL_IPS = ["127.0.0.1"]

INSTALLED_APPS += ["silk", "debug_toolbar"]
MIDDLEWARE = [
    "performance.silk.MaskedSilkyMiddleware",
    "debug_toolbar.middleware.DebugToolbarMiddleware",
    *MIDDLEWARE,
    "config.middleware.allow_inline_in_silk",
]
SILKY_AUTHENTICATION = True
SILKY_AUTHORISATION = True
SILKY_MAX_RECORDED_REQUESTS = 1000
# The toolbar is at hand, not in the way.
DEBUG_TOOLBAR_CONFIG = {"SHOW_COLLAPSED": True}
