"""The addresses of mops."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.accounts.admin.roles_page import roles_page
from apps.campaigns.admin.asking import ask_page, request_page
from apps.campaigns.admin.calendar import calendar_page, feed_page, move_page
from apps.campaigns.admin.templates import cycle_page
from apps.campaigns.admin.utm import builder_page, drift_page
from apps.content.admin.material import material_page
from apps.core import probes
from apps.leads import views as capture
from apps.leads.admin.figures import lifecycle_page
from apps.leads.admin.quality import quality_page
from apps.processes.admin.figures import figures_page
from apps.processes.admin.maturity import level_page, maturity_page, override_page
from apps.processes.admin.reading import skills_page
from apps.processes.admin.roadmap import roadmap_page
from apps.rights.admin.duties import duties_page
from apps.rights.admin.explain_page import explain_page
from apps.rights.admin.then_page import then_page
from apps.rights.admin.view_as_kit import stop_page
from apps.technology.admin.flow_map_page import conflicts_page, map_file, map_page
from apps.technology.admin.renewals import calendar_view, renewals_page
from apps.tickets.admin import knowledge, portal
from apps.tickets.admin.after import satisfaction_page
from apps.tickets.admin.figures import figures_page as ticket_figures
from apps.tickets.admin.figures import report_file
from apps.tickets.admin.watching import demand_page, pauses_page
from apps.tickets.views import survey_page

handler403 = "apps.core.admin_kit.shut_doors.page_not_opened"
handler404 = "apps.core.admin_kit.shut_doors.page_not_found"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", probes.metrics, name="metrics"),
    path("accounts/", include("apps.accounts.urls")),
    path("admin/roles/", roles_page, name="roles"),
    path("admin/campaigns/calendar/", calendar_page, name="campaign-calendar"),
    path("admin/campaigns/calendar/address/", feed_page, name="campaign-calendar-address"),
    path("admin/campaigns/calendar/move/<int:campaign_id>/", move_page, name="campaign-move"),
    path("admin/campaigns/times/", cycle_page, name="campaign-times"),
    path("admin/campaigns/utm/", builder_page, name="campaign-utm"),
    path("admin/campaigns/utm/drift/", drift_page, name="campaign-utm-drift"),
    path("admin/campaigns/ask/", ask_page, name="campaign-ask"),
    path("admin/campaigns/ask/<int:request_id>/", request_page, name="campaign-request"),
    path("admin/content/material/", material_page, name="content-material"),
    path("admin/processes/skills/", skills_page, name="processes-skills"),
    path("admin/processes/figures/<int:process_id>/", figures_page, name="processes-figures"),
    path("admin/processes/maturity/", maturity_page, name="processes-maturity"),
    path("admin/processes/maturity/<int:process_id>/", level_page, name="processes-level"),
    path("admin/processes/maturity/<int:process_id>/override/", override_page, name="processes-override"),
    path("admin/processes/roadmap/", roadmap_page, name="processes-roadmap"),
    path("admin/rights/explain/", explain_page, name="rights-explain"),
    path("admin/rights/duties/", duties_page, name="rights-duties"),
    path("admin/rights/then/", then_page, name="rights-then"),
    path("admin/rights/view-as/stop/", stop_page, name="rights-view-as-stop"),
    path("admin/help/", portal.home_page, name="portal-home"),
    path("admin/help/ask/", portal.ask_page, name="portal-ask"),
    path("admin/help/ask/<int:type_id>/", portal.ask_page, name="portal-ask-type"),
    path("admin/help/tickets/<int:ticket_id>/", portal.ticket_page, name="portal-ticket"),
    path("forms/<slug:key>/", capture.form_page, name="lead-form"),
    path("forms/<slug:key>/next/", capture.questions_page, name="lead-questions"),
    path("visits/<slug:key>/", capture.visits_page, name="lead-visits"),
    path("admin/leads/quality/", quality_page, name="leads-quality"),
    path("admin/leads/lifecycle/", lifecycle_page, name="leads-lifecycle"),
    path("admin/help/tickets/<int:ticket_id>/files/<int:file_id>/", portal.file_page, name="portal-file"),
    path("admin/tickets/figures/", ticket_figures, name="tickets-figures"),
    path("admin/tickets/figures/report.<str:kind>", report_file, name="tickets-report"),
    path("admin/help/articles/<int:article_id>/", knowledge.article_page, name="portal-article"),
    path("admin/help/suggest/", knowledge.suggest_page, name="portal-suggest"),
    path("admin/tickets/pauses/", pauses_page, name="tickets-pauses"),
    path("admin/tickets/demand/", demand_page, name="tickets-demand"),
    path("admin/tickets/satisfaction/", satisfaction_page, name="tickets-satisfaction"),
    path("survey/<str:token>/", survey_page, name="ticket-survey"),
    path("admin/technology/renewals/", renewals_page, name="technology-renewals"),
    path("admin/technology/map/", map_page, name="technology-map"),
    path("admin/technology/map/<slug:kind>/", map_file, name="technology-map-file"),
    path("admin/technology/conflicts/", conflicts_page, name="technology-conflicts"),
    path("calendar/<str:token>.ics", calendar_view, name="technology-feed"),
    path("calendar/<str:token>/<slug:key>.ics", calendar_view, name="calendar-feed"),
    path("admin/", admin.site.urls),
]
