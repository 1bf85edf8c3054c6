"""The face of the back office: title, badge, navigation and home page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static

# apps with a stylesheet of their own, static/<app>/<app>.css, loaded after the one all share
STYLED_APPS: tuple[str, ...] = (
    "approvals",
    "audit",
    "campaigns",
    "clocks",
    "content",
    "leads",
    "processes",
    "technology",
    "tickets",
)


def _style_of(app: str) -> Callable[[HttpRequest], str]:
    def address(request: HttpRequest) -> str:
        return static(f"{app}/{app}.css")

    return address


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "mops",
    "SITE_HEADER": "mops",
    "SITE_SUBHEADER": "Marketing operations",
    "SITE_SYMBOL": "conversion_path",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "apps.core.admin_kit.site.favicon"}],
    "SHOW_BACK_BUTTON": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "apps.core.admin_kit.site.environment_badge",
    "STYLES": ["apps.core.admin_kit.site.stylesheet", *(_style_of(app) for app in STYLED_APPS)],
    "SCRIPTS": ["apps.core.admin_kit.site.script", "apps.core.admin_kit.site.keys"],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.1% .014 240)",
            "100": "oklch(93.2% .032 240)",
            "200": "oklch(88.2% .059 240)",
            "300": "oklch(80.9% .105 240)",
            "400": "oklch(70.7% .145 242)",
            "500": "oklch(60.3% .155 245)",
            "600": "oklch(51.6% .150 247)",
            "700": "oklch(45.2% .130 248)",
            "800": "oklch(39.2% .105 249)",
            "900": "oklch(34.1% .082 250)",
            "950": "oklch(25.1% .058 251)",
        },
    },
    "ACCOUNT": {"navigation": "apps.accounts.context.account_menu"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "mops.navigation.sidebar",
    },
}
