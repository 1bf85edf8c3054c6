"""Who may sign in, and how."""

import os

from mops.settings.current import ENV
from mops.settings.single_sign_on import read_single_sign_on

AUTH_USER_MODEL = "accounts.User"
# allauth's backend answers for model permissions too; a second password backend would double the cost of a guess
AUTHENTICATION_BACKENDS = [
    "apps.accounts.backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_RESET_TIMEOUT = 3600 * 24

GUARDIAN_RAISE_403 = True
ANONYMOUS_USER_NAME = None
REQUIRE_MFA = ENV.require_mfa
DEMO = ENV.demo  # people with a published password may be loaded
PUBLIC_URL = ENV.public_url  # mails link here, never to whatever host a request named
STEP_UP_SECONDS = 15 * 60  # sensitive operations want a sign-in or confirmation not older than this
INVITATION_DAYS = 7

ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"login": "apps.accounts.sign_in_form.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is proven by the invitation that was opened there
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True  # a reset takes as long and says the same for an address nobody has
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # this session stays, the others end with the password
ACCOUNT_SESSION_REMEMBER = False  # the cookie ends with the browser; idle and absolute limits come on top
ACCOUNT_REAUTHENTICATION_TIMEOUT = STEP_UP_SECONDS
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "60/15m/ip,10/15m/key",
    "login_failed_known": "10/15m/key",
    "reset_password": "20/h/ip,3/15m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/15m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = ENV.trusted_proxies

MFA_ADAPTER = "apps.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # allauth's own notion of a verified address is not used, see above
MFA_TOTP_ISSUER = "mops"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = ENV.insecure_http

SINGLE_SIGN_ON = read_single_sign_on(os.environ, debug=ENV.debug)
SOCIALACCOUNT_ADAPTER = "apps.accounts.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS = SINGLE_SIGN_ON.as_provider() if SINGLE_SIGN_ON else {}
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # the adapter decides, it also knows invitations
SOCIALACCOUNT_STORE_TOKENS = False
