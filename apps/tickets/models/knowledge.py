"""The knowledge base: processes that are offered as articles, and what readers made of them.

An article has no text of its own: it is a process, with its versions, approvals, reviews and acknowledgements.
"""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from apps.core.governed import GovernedModel, append_only_triggers
from apps.tickets.enums import Audience, ReadFrom
from apps.tickets.models.catalogue import TicketType


class Article(GovernedModel):
    """A process that is offered where people ask for help."""

    process = models.OneToOneField(
        "processes.Process",
        models.PROTECT,
        related_name="+",
        help_text="What it says is the version in force; it is written, approved and reviewed there.",
    )
    audience = models.CharField(
        max_length=10,
        choices=Audience.choices,
        default=Audience.EVERYBODY,
        help_text="Confidential and restricted processes, and those kept to stakeholders, stay with who may read them.",
    )
    keywords = models.CharField(
        max_length=250, blank=True, help_text="Other words people use for it, with commas between."
    )
    types = models.ManyToManyField(
        TicketType, blank=True, related_name="articles", help_text="Offered first where one of these is asked for."
    )

    class Meta(GovernedModel.Meta):
        ordering = ("process__title",)
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="article_is_indexed",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="PERFORM mops_index_article(NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return str(self.process)


class ArticleText(models.Model):
    """What an article is found by, kept up to date by the database. A plain row: derived."""

    article = models.OneToOneField(Article, models.CASCADE, primary_key=True, related_name="text")
    title = models.TextField()
    document = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=("document",), name="article_words"),
            GinIndex(OpClass("title", "gin_trgm_ops"), name="article_title_alike"),
        ]

    def __str__(self) -> str:
        return self.title


class ArticleRead(models.Model):
    """Somebody opened an article, from where, and whether it helped. Not a governed row: figures come from it."""

    article = models.ForeignKey(Article, models.PROTECT, related_name="reads")
    version = models.ForeignKey("processes.SOPVersion", models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    source = models.CharField(max_length=10, choices=ReadFrom.choices)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=("article", "at"), name="read_of_article")]
        triggers = append_only_triggers("What was read stays on record.")

    def __str__(self) -> str:
        return f"{self.article}, {self.at:%-d %b %Y}"


class ArticleVote(models.Model):
    """Whether an article helped somebody; the last word of a person about a version counts. Not a governed row."""

    article = models.ForeignKey(Article, models.PROTECT, related_name="votes")
    version = models.ForeignKey("processes.SOPVersion", models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    helpful = models.BooleanField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-id")
        constraints = [models.UniqueConstraint(fields=("version", "person"), name="article_vote_once_a_version")]

    def __str__(self) -> str:
        return "It helped" if self.helpful else "It did not help"
