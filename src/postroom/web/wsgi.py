"""What granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.conf.settings")
application = get_wsgi_application()
# All pages are loaded now and stay: the collector need not walk through them, a quarter of a second each time.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
# What a request leaves behind dies young; to walk through all that is kept took a tenth of a second of somebody's page.
gc.set_threshold(20_000, 20, 100)
