"""The WSGI entry point: `gunicorn mops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from mops.garbage import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mops.settings")
application = get_wsgi_application()
keep_what_is_loaded()
