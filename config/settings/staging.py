"""Staging: production, with silk on a sample of the requests."""

from config.settings.production import *

IS_STAGING = True

INSTALLED_APPS += ["silk"]
MIDDLEWARE = ["performance.silk.MaskedSilkyMiddleware", *MIDDLEWARE, "config.middleware.allow_inline_in_silk"]
SILKY_AUTHENTICATION = True
SILKY_AUTHORISATION = True
SILKY_INTERCEPT_PERCENT = env.float("SILK_PERCENT", 1)
SILKY_MAX_RECORDED_REQUESTS = env.int("SILK_MAX_REQUESTS", 1000)
