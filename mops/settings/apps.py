"""Which applications make up mops, and what runs around a request."""

import os
from typing import Any

from mops.settings.current import ENV
from mops.settings.database import database_settings
from mops.settings.env import ROOT

DEBUG = ENV.debug
TECHNICAL_PAGES = ENV.technical_pages
DATABASES = database_settings(os.environ, ENV.home)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "mops.urls"
WSGI_APPLICATION = "mops.wsgi.application"
BADGE = ENV.badge
TEST_RUNNER = "mops.testing.PytestRunner"

INSTALLED_APPS = [
    "apps.core",
    "apps.core.jobs",
    "apps.core.calendars",
    "apps.core.clocks",
    "apps.core.rules",
    "apps.core.retention",
    "apps.core.notifications",
    "apps.core.alerts",
    "apps.core.attachments",
    "apps.core.exchange",
    "apps.core.workspace",
    "apps.accounts",
    "apps.audit",
    "apps.approvals",
    "apps.processes",
    "apps.technology",
    "apps.content",
    "apps.campaigns",
    "apps.leads",
    "apps.tickets",
    "apps.rights",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.guardian",
    "unfold.contrib.simple_history",
    "apps.core.admin_kit.site.MopsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "guardian",
    "simple_history",
    "pgtrigger",
    "django_q",
    "csp",
    "rest_framework",
]

MIDDLEWARE = [
    "apps.core.middleware.RequestContextMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.core.middleware.SecurityHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.core.middleware.ProbesMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "apps.core.middleware.LeanPagesMiddleware",  # within the one above, which says how long a page is
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.accounts.middleware.SessionLimitsMiddleware",
    "apps.core.middleware.ActorMiddleware",
    "apps.accounts.middleware.SecondFactorMiddleware",
    "apps.rights.middleware.ViewAsMiddleware",
    "apps.core.admin_kit.human_pages.HumanPagesMiddleware",
    "apps.core.admin_kit.refused_pages.RefusedPagesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["apps.core.templatetags.mops_words"],  # how amounts and nothing are written, on every page
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.accounts.context.account_pages",
            ],
        },
    },
]

# history rows are written by the ledger triggers of governed tables (apps/core/governed.py), whatever the path
SIMPLE_HISTORY_ENABLED = False

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "mops.formats"
TIME_ZONE = ENV.time_zone
USE_TZ = True
USE_I18N = True

CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ENV.redis_url}
    if ENV.redis_url
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "mops_cache",
        # counters of failed sign-ins live here: with Django's 300 rows a flood of names would push them out
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
