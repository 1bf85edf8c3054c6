"""The knowledge base: which articles somebody may read, which may help, and whether they did."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db import transaction
from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Greatest

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.words import NOTHING, fitting
from apps.processes.domain.acknowledging import acknowledge
from apps.processes.domain.feedback import note_feedback
from apps.processes.domain.reading import refuse_acknowledgement
from apps.processes.enums import Classification
from apps.processes.models import Process
from apps.processes.permissions import open_to
from apps.tickets.enums import Audience, ReadFrom
from apps.tickets.models import Article, ArticleRead, ArticleVote, Ticket, TicketType

if TYPE_CHECKING:
    from apps.accounts.models import User

OFFERED, LONGEST, MOST_WORDS = 5, 1000, 30
ALIKE, DEFLECTED_WITHIN = 0.45, dt.timedelta(days=1)
CLOSED = (Classification.CONFIDENTIAL, Classification.RESTRICTED)
YEAR, FEW = 365, 3


def articles_for(user: "User") -> QuerySet[Article]:
    """Return the articles with a text in force that `user` may read: open ones, and those whose process they see."""
    live = Article.objects.live().filter(process__archived_at__isnull=True, process__effective_version__isnull=False)
    open_processes = Process.objects.filter(open_to(user)).exclude(classification__in=CLOSED)
    everybody = Q(audience=Audience.EVERYBODY, process__in=open_processes.values("pk"))
    seen = Q(process__in=access.visible(user, Process).values("pk"))
    found: QuerySet[Article] = live.filter(everybody | seen).select_related("process__effective_version")
    return found


def suggest(user: "User", words: str, *, kind: TicketType | None = None, limit: int = OFFERED) -> list[Article]:
    """Return the articles that may help with what somebody types, best first; of those they may read alone.

    Any of the words counts, and titles that look alike despite typing errors; those of the ticket's type come first.
    """
    typed = list(dict.fromkeys(re.findall(r"\w{3,}", words[:LONGEST].lower())))[:MOST_WORDS]
    if not typed and kind is None:
        return []
    query = SearchQuery(" | ".join(typed), search_type="raw", config="english") if typed else None
    line = " ".join(typed)
    rows = articles_for(user).annotate(
        alike=TrigramWordSimilarity(line, "text__title"),
        rank=SearchRank(F("text__document"), query) if query is not None else Value(0.0, FloatField()),
    )
    best = Greatest(F("rank"), F("alike") * Value(0.5), output_field=FloatField()).desc()
    fits = Q(alike__gte=ALIKE)
    if query is not None:
        fits |= Q(text__document=query)
    if kind is not None:
        rows = rows.annotate(own=Exists(kind.articles.filter(pk=OuterRef("pk"))))
        return list(rows.filter(fits | Q(own=True)).order_by("-own", best, "pk")[:limit])
    return list(rows.filter(fits).order_by(best, "pk")[:limit])


def read_article(
    user: "User", pk: int, *, source: str = ReadFrom.PORTAL, at: dt.datetime | None = None
) -> Article | None:
    """Return an article that `user` opens, and remember that they did; None where there is none for them."""
    article = articles_for(user).filter(pk=pk).first()
    if article is None or article.process.effective_version is None:
        return None
    known = source if source in ReadFrom.values else ReadFrom.PORTAL.value
    with acting_as(user):
        ArticleRead.objects.create(
            article=article,
            version=article.process.effective_version,
            person=user,
            source=known,
            at=at or clock.now(),
        )
    return article


def vote(article: Article, *, by: "User", helpful: bool, comment: str = "", at: dt.datetime | None = None) -> str:
    """Keep whether an article helped; a second word about the same version replaces the first.

    What was missing, in words, goes to the feedback of the process as well, where its next review answers it.

    Raises:
        NotAllowed: they may not read it.
        InvalidInput: too long a comment.
    """
    if not articles_for(by).filter(pk=article.pk).exists():
        raise NotAllowed("You can say of what you may read alone whether it helped.")
    words = fitting(comment, LONGEST, field="comment", what="The comment")
    with transaction.atomic(), acting_as(by):
        ArticleVote.objects.update_or_create(
            version=article.process.effective_version,
            person=by,
            defaults={"article": article, "helpful": helpful, "comment": words, "at": at or clock.now()},
        )
        if words and not helpful:
            note_feedback(article.process, by=by, text=words)
    return "Thank you. Good to know that it helped." if helpful else "Thank you. Whoever answers for it reads this."


def refuse_confirming(user: "User", article: Article) -> str | None:
    """Return why `user` cannot confirm on the article's page that they have read it, None when they can."""
    version = article.process.effective_version
    if version is None or not articles_for(user).filter(pk=article.pk).exists():
        return "You can confirm what you may read alone."
    if version.questions:
        return f"{article} asks questions at its end; who works by it answers them on the page of its version."
    return refuse_acknowledgement(user, version, reader=True)


def confirm_read(article: Article, *, by: "User") -> str:
    """Record that somebody has read and understood the version in force, whatever their role.

    Raises:
        NotAllowed, WrongState: as `refuse_confirming` says.
    """
    version = article.process.effective_version
    if refused := refuse_confirming(by, article):
        raise (NotAllowed if version is None or not refused.startswith("You have") else WrongState)(refused)
    assert version is not None  # noqa: S101  # refuse_confirming has seen to it
    return acknowledge(version, by=by, reader=True)


@dataclass(frozen=True)
class Score:
    """How an article does: read, helpful, tickets it saved, and how stale it is (0 fresh to 100)."""

    reads: int
    helpful: int
    votes: int
    asked_nothing: int
    from_asking: int
    stale: int
    why: tuple[str, ...]

    @property
    def deflection(self) -> str:
        """The share of people who opened it while asking and then asked nothing for a day."""
        return f"{self.asked_nothing / self.from_asking:.0%}" if self.from_asking else NOTHING


def score_of(article: Article, *, at: dt.datetime | None = None) -> Score:
    """Return how an article does: four queries."""
    moment = at or clock.now()
    votes = list(article.votes.filter(version=article.process.effective_version).values_list("helpful", flat=True))
    asking = article.reads.filter(source=ReadFrom.ASKING, at__lte=moment - DEFLECTED_WITHIN)
    later = Ticket.objects.filter(
        requester=OuterRef("person"), opened_at__gte=OuterRef("at"), opened_at__lt=OuterRef("at") + DEFLECTED_WITHIN
    )
    stale, why = staleness(article, votes, moment)
    return Score(
        reads=article.reads.count(),
        helpful=sum(votes),
        votes=len(votes),
        asked_nothing=asking.filter(~Exists(later)).count(),
        from_asking=asking.count(),
        stale=stale,
        why=why,
    )


def staleness(article: Article, votes: list[bool], at: dt.datetime) -> tuple[int, tuple[str, ...]]:
    """Return how stale an article is, and why: 40 points for age over a year, 30 for a review that is late by 90 days,
    30 for everybody saying that it did not help (from three votes on); each in proportion.
    """
    process, why, points = article.process, [], 0.0
    since = process.effective_version.effective_at if process.effective_version is not None else None
    if since is not None:
        age = (at - since).days
        points += 40 * min(1.0, age / YEAR)
        why.append(f"its text is {age} day{'' if age == 1 else 's'} old")
    if process.next_review_on is not None and process.next_review_on < at.date():
        late = (at.date() - process.next_review_on).days
        points += 30 * min(1.0, late / 90)
        why.append(f"its review is {late} day{'' if late == 1 else 's'} late")
    if len(votes) >= FEW:
        share = votes.count(False) / len(votes)
        points += 30 * share
        why.append(f"{share:.0%} say that it did not help")
    return round(points), tuple(why)


def comments_on(article: Article) -> list[dict[str, Any]]:
    """Return what readers wrote whom it did not help, newest first."""
    rows = article.votes.exclude(comment="").select_related("person", "version")[:20]
    return [{"said": each.comment, "helpful": each.helpful, "who": each.person, "at": each.at} for each in rows]
