"""Where static files and uploads live; uploads are private and leave only through a checked view."""

from mops.settings.current import ENV
from mops.settings.env import ROOT

STATIC_URL = "/static/"
STATIC_ROOT = None if ENV.debug else ROOT / "staticfiles"
MEDIA_ROOT = ENV.home / "files"
WHITENOISE_USE_FINDERS = ENV.debug
WHITENOISE_AUTOREFRESH = False
FOR_OTHER_SITES = (f"{STATIC_URL}leads/tracker.",)  # what pages of other sites may load, whatever hash is in its name
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENV.debug
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
