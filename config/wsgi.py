import os

from django.core.wsgi import get_wsgi_application

from config.handlers import Handler, KeyHandler
from config.warming import warm_up
from performance.ending import listen_for_the_end
from performance.response_cache import ResponseCache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = ResponseCache(Handler(full=get_wsgi_application(), for_keys=KeyHandler()))
warm_up()
listen_for_the_end()
