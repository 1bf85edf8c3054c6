"""The links of a campaign: where each leads, and the five UTM tags by which its visits are told apart."""

from urllib.parse import quote, urlsplit, urlunsplit

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.campaigns.models.campaign import Campaign
from apps.content.enums import UTM_VALUE
from apps.core.governed import GovernedModel
from apps.core.transitions import refusal

NEEDED, OPTIONAL = UTM_VALUE, f"^({UTM_VALUE.strip('^$')})?$"
LONGEST_TAG, LONGEST_ADDRESS = 100, 1000
TAGS = ("source", "medium", "campaign_tag", "term", "content")
# What each tag is called in an address, and under which key naming rules check it.
PARAMETER = {name: f"utm_{name.removesuffix('_tag')}" for name in TAGS}
WORDED = "A tag is written in small letters, digits, dots, hyphens and underscores, without spaces: spring-2027."


class UtmLink(GovernedModel):
    """One planned link; once its campaign has been live it stays, because figures were counted by it."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="utm_links")
    landing_url = models.URLField(
        "landing page", max_length=LONGEST_ADDRESS, help_text="Where the link leads, without tags: https://…"
    )
    source = models.CharField(max_length=LONGEST_TAG, help_text="Who sends the visit: newsletter, linkedin, google.")
    medium = models.CharField(max_length=LONGEST_TAG, help_text="By which means: email, cpc, social, print.")
    campaign_tag = models.CharField(
        "campaign", max_length=LONGEST_TAG, help_text="One name for all links of this campaign and of no other."
    )
    term = models.CharField(max_length=LONGEST_TAG, blank=True, help_text="Paid search: the keyword.")
    content = models.CharField(
        max_length=LONGEST_TAG, blank=True, help_text="Which of several links or versions: button-top."
    )
    note = models.CharField("used for", max_length=150, blank=True, help_text="For instance: button of the first mail.")

    class Meta(GovernedModel.Meta):
        verbose_name = "tagged link"
        ordering = ("campaign", "source", "medium", "content", "term", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(source__regex=NEEDED, medium__regex=NEEDED, campaign_tag__regex=NEEDED)
                & Q(term__regex=OPTIONAL, content__regex=OPTIONAL),
                name="utm_tags_worded",
                violation_error_message=WORDED,
            ),
            models.CheckConstraint(
                condition=Q(landing_url__regex=r"^https://[^[:space:]/?#@]+([/?#][^[:space:]]*)?$"),
                name="utm_landing_page",
                violation_error_message="A landing page begins with https:// and has no spaces and no user name.",
            ),
            models.UniqueConstraint(
                fields=TAGS,
                condition=Q(archived_at__isnull=True),
                name="utm_tags_once",
                violation_error_message="A planned link has these five tags already; tell them apart by content.",
            ),
        ]
        indexes = [models.Index(fields=("campaign_tag",), name="utm_by_campaign_tag")]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="tags_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in ("campaign_id", *TAGS))
                ),
                func=f"""
                    IF OLD.campaign_id <> NEW.campaign_id OR
                            (SELECT launched_at FROM campaigns_campaign WHERE id = OLD.campaign_id) IS NOT NULL THEN
                        {refusal("The campaign was launched with this link; archive it and plan another one.")}
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="tag_of_one_campaign",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.archived_at IS NULL"),
                func=f"""
                    PERFORM pg_advisory_xact_lock(hashtextextended('utm ' || NEW.campaign_tag, 0));
                    IF EXISTS (SELECT FROM campaigns_utmlink WHERE campaign_tag = NEW.campaign_tag
                               AND campaign_id <> NEW.campaign_id AND archived_at IS NULL) THEN
                        {refusal("Another campaign has this campaign tag; visits of both would be counted as one.")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return " / ".join(each for each in self.tags if each)

    @property
    def tags(self) -> tuple[str, str, str, str, str]:
        """Source, medium, campaign, term and content."""
        return (self.source, self.medium, self.campaign_tag, self.term, self.content)

    @property
    def address(self) -> str:
        """The whole address: the landing page, its own query kept, the tags after it, its fragment last."""
        parts = urlsplit(self.landing_url)
        given = zip(TAGS, self.tags, strict=True)
        added = "&".join(f"{PARAMETER[name]}={quote(value)}" for name, value in given if value)
        return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))
