import os

from django.core.wsgi import get_wsgi_application

from performance.response_cache import ResponseCache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

django_application = get_wsgi_application()
application = ResponseCache(django_application)
