"""The addresses of signing in and of one's own account; what mops does not offer is closed before allauth sees it."""

from allauth.account.views import password_set
from django.urls import include, path, re_path

from apps.accounts import views
from apps.core.admin_kit.step_up import require_recent_authentication

urlpatterns = [
    path("", views.my_account, name="my_account"),
    path("sessions/end-all/", views.end_all_sessions, name="end_all_sessions"),
    path("invitation/", views.accept_invitation_page, name="accept_invitation"),
    path("invitation/<str:token>/", views.open_invitation_link, name="open_invitation"),
    # no sign-up, no second address, no connecting from inside: allauth's pages for these stay closed
    re_path(r"^(?:signup|email|confirm-email|3rdparty|social)(?:/(?!login/).*)?/?$", views.not_offered),
    # who comes through single sign-on sets a first password only right after coming in
    path("password/set/", require_recent_authentication(password_set)),
    path("", include("allauth.urls")),
]
