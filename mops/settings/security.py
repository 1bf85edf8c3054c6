"""What keeps the pages, cookies and secrets of mops its own."""

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from mops.settings.auth import SINGLE_SIGN_ON
from mops.settings.current import ENV

SECRET_KEY = ENV.secret_key
SECRET_KEY_FALLBACKS = list(ENV.secret_key_fallbacks)
ALLOWED_HOSTS = list(ENV.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENV.csrf_trusted_origins)

# unfold's Alpine build evaluates strings and its theme is a <style> element: nothing else may be inline
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        # a browser follows the sign-in form to the identity provider only where the policy names it
        "form-action": [SELF, *([SINGLE_SIGN_ON.origin] if SINGLE_SIGN_ON else [])],
        "frame-ancestors": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # absolute; the idle limit is kept by the middleware
SESSION_IDLE_SECONDS = 30 * 60
SESSION_COOKIE_NAME = "mops_session"
CSRF_FAILURE_VIEW = "apps.core.admin_kit.shut_doors.key_too_old"
CSRF_COOKIE_HTTPONLY = False  # htmx and the admin's own scripts read it

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not ENV.insecure_http
SECURE_HSTS_SECONDS = 0 if ENV.insecure_http else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not ENV.insecure_http
SECURE_PROXY_SSL_HEADER = None if ENV.insecure_http else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]

DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 500  # a folder of a handbook is 200 files at most, with what lies beside them
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = ["apps.core.uploads.SmallFiles", "apps.core.uploads.LargeFiles"]
UPLOAD_MOST_BYTES = 512 * 1024 * 1024  # of one request; what a page accepts is less and is said there
IMPORT_FOLDERS = list(ENV.import_folders)
