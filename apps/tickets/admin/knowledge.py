"""The knowledge base: its list for those who answer for it, its pages for everybody who asks, and its suggestions."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.links import link_to
from apps.core.errors import DomainError
from apps.core.markdown import render
from apps.core.words import NOTHING
from apps.tickets.domain import knowledge
from apps.tickets.enums import Audience, ReadFrom
from apps.tickets.models import Article, ArticleRead, ArticleVote, TicketType


@admin.register(Article)
class ArticleAdmin(MopsAdmin):
    """Articles."""

    list_display = ("subject", "audience_words", "in_force", "read", "helped", "staleness")
    list_filter = ("audience", "types")
    search_fields = ("process__title", "keywords")
    autocomplete_fields = ("process", "types")
    fields = ("process", "audience", "keywords", "types")
    empty_state = (
        "An article is a process offered where people ask for help. Write the process first; once a version is in "
        "force, add it here."
    )
    buttons = ARCHIVE_BUTTONS
    consistency_checks = (
        Check("Nothing of it is in force", lambda rows: rows.filter(process__effective_version=None)),
        Check("Its review is due", lambda rows: rows.filter(process__next_review_on__lte=clock.today())),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the version in force, and count reads and votes."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        mine = OuterRef("pk")
        reads = ArticleRead.objects.filter(article=mine).order_by().values("article")
        latest = ArticleVote.objects.filter(article=mine, version=OuterRef("process__effective_version"))
        votes = latest.order_by().values("article")
        counted: models.QuerySet[Any] = rows.select_related("process__effective_version").annotate(
            times=Subquery(reads.annotate(number=Count("pk")).values("number")),
            said=Subquery(votes.annotate(number=Count("pk")).values("number")),
            yes=Subquery(votes.annotate(number=Count("pk", filter=Q(helpful=True))).values("number")),
        )
        return counted

    @display(description="Article", ordering="process__title")
    def subject(self, article: Article) -> str:
        """What it is about."""
        return str(article.process)

    @display(description="For", ordering="audience")
    def audience_words(self, article: Article) -> str:
        """Who is offered it."""
        return Audience(article.audience).label

    @display(description="Version", ordering="process__effective_version__number")
    def in_force(self, article: Article) -> str:
        """Which version is in force."""
        version = article.process.effective_version
        return f"version {version.number}" if version is not None else "none in force"

    @display(description="Read", ordering="times")
    def read(self, article: Any) -> int:
        """How often it was opened."""
        return int(article.times or 0)

    @display(description="Helped", ordering="yes")
    def helped(self, article: Any) -> str:
        """Of how many who said."""
        return f"{article.yes} of {article.said}" if article.said else NOTHING

    @display(description="Stale", ordering="process__next_review_on", label={"stale": "danger", "ageing": "warning"})
    def staleness(self, article: Any) -> Any:
        """How stale it is, from 0 to 100."""
        said, yes = int(article.said or 0), int(article.yes or 0)
        points, _ = knowledge.staleness(article, [True] * yes + [False] * (said - yes), clock.now())
        level = "stale" if points >= 60 else "ageing" if points >= 30 else "fresh"
        return level, f"{points} of 100"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how it reads, how it does, and what readers wrote."""
        article, extra = self.get_object(request, object_id), dict(extra_context or {})
        if article is not None and request.method == "GET":
            version = article.process.effective_version
            panel = {
                "template": "admin/tickets/article_panel.html",
                "process": link_to(article.process),
                "version": link_to(version) if version is not None else "",
                "says": render(version.body) if version is not None else "",
                "score": knowledge.score_of(article),
                "comments": knowledge.comments_on(article),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@require_http_methods(["GET", "HEAD", "POST"])
def _article_page(request: HttpRequest, article_id: int) -> HttpResponse:
    """Show an article to whoever may read it, and take whether it helped."""
    person: Any = request.user
    if request.method == "POST":
        article = knowledge.articles_for(person).filter(pk=article_id).first()
        if article is None:
            raise Http404
        helpful, comment = request.POST.get("helpful") == "yes", request.POST.get("comment", "")
        try:
            if "read" in request.POST:
                said = knowledge.confirm_read(article, by=person)
            else:
                said = knowledge.vote(article, by=person, helpful=helpful, comment=comment)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, said)
        return HttpResponseRedirect(request.path)
    source = request.GET.get("from", ReadFrom.PORTAL)
    article = knowledge.read_article(person, article_id, source=source)
    if article is None:
        raise Http404
    version = article.process.effective_version
    context = {
        **admin.site.each_context(request),
        "title": str(article.process),
        "article": article,
        "version": version,
        "says": render(version.body) if version is not None else "",
        "full": reverse("admin:processes_sopversion_change", args=(version.pk,))
        if version is not None and access.can(person, "view", version)
        else "",
        "may_confirm": knowledge.refuse_confirming(person, article) is None,
        "mine": ArticleVote.objects.filter(version=version, person=person).first(),
    }
    return TemplateResponse(request, "admin/tickets/article.html", context)


@require_safe
def _suggest_page(request: HttpRequest) -> HttpResponse:
    """Answer what somebody types with articles that may help: a piece of a page."""
    person: Any = request.user
    number = request.GET.get("type", "")
    kind = TicketType.objects.live().filter(pk=int(number)).first() if number.isdecimal() and len(number) < 12 else None
    found = knowledge.suggest(person, request.GET.get("q", ""), kind=kind)
    response = TemplateResponse(request, "admin/tickets/suggestions.html", {"articles": found, "source": "asking"})
    response["Cache-Control"] = "no-store"
    return response


article_page = admin.site.admin_view(_article_page)
suggest_page = admin.site.admin_view(_suggest_page)
