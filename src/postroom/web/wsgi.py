"""What granian serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from postroom.conf.garbage import collect_rarely

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.conf.settings")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - all pages are loaded now
# What a request leaves behind dies young; to walk through all that is kept took a tenth of a second of somebody's page.
collect_rarely(20_000, 100)
