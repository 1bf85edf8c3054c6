"""How things are named: a pattern of tokens, shared by tools, campaigns and links."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.core.governed import GovernedModel


class NamingRule(GovernedModel):
    """A pattern such as {region}_{type}_{name}_{date}, and what each of its tokens may hold."""

    name = models.CharField(max_length=100)
    applies_to = models.CharField(
        max_length=50,
        blank=True,
        help_text="Which names it checks, for instance “tools”; empty: those one asks about.",
    )
    pattern = models.CharField(max_length=250, help_text="Tokens in braces, all else as it is: {region}_{name}.")
    tokens = models.JSONField(
        default=dict,
        help_text='For each token: {"kind": "choice", "values": ["DACH", "UK"]}, or kind text, number, date.',
    )
    lower_case = models.BooleanField(default=False, help_text="Names are written in small letters only.")
    longest = models.PositiveSmallIntegerField("at most (characters)", default=150)
    example = models.CharField(max_length=250, blank=True, help_text="A name that fits.")

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="naming_rule_once", violation_error_message="There is already such a rule."
            ),
            models.CheckConstraint(
                condition=Q(longest__gte=1, longest__lte=1000),
                name="naming_rule_length",
                violation_error_message="A name has between 1 and 1,000 characters.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
