"""The technology stack for tests."""

import datetime as dt
from decimal import Decimal

import factory

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.transitions import transition
from apps.technology.domain.cases import waive_inventory
from apps.technology.domain.criteria import ship_criteria
from apps.technology.enums import Lifecycle
from apps.technology.models import (
    AdminStandard,
    Candidate,
    Capability,
    Contract,
    CostLine,
    CriteriaSet,
    Criterion,
    DataDefinition,
    DataEntity,
    DataField,
    DataFlow,
    DutyDone,
    Evaluation,
    ExchangeRate,
    Integration,
    Licence,
    NamingRule,
    OwnerDuty,
    RenewalDecision,
    Seat,
    ServiceTarget,
    StackPolicy,
    StandardCheck,
    SystemOfRecord,
    Tool,
    ToolCapability,
    ToolRequest,
    Transfer,
    UtilisationSample,
    Vendor,
    Waiver,
)
from tests.factories.accounts import person_with


class VendorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Vendor

    name = factory.Sequence(lambda n: f"Vendor {n}")


class ToolFactory(factory.django.DjangoModelFactory):
    """A tool; beyond the idea it was in use before mops, so that a waiver covers it."""

    class Meta:
        model = Tool

    name = factory.Sequence(lambda n: f"Tool {n}")

    @classmethod
    def _create(cls, model_class, *args, lifecycle=Lifecycle.PROPOSED, **kwargs):
        tool = super()._create(model_class, *args, **kwargs)
        if lifecycle != Lifecycle.PROPOSED:
            waive_inventory([tool], by=None)
            tool.lifecycle = lifecycle
            with transition(Tool):
                tool.save(update_fields=["lifecycle"])
        return tool

    class Params:
        active = factory.Trait(lifecycle=Lifecycle.ACTIVE)


class CapabilityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Capability

    name = factory.Sequence(lambda n: f"Capability {n}")


class ToolCapabilityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ToolCapability

    tool = factory.SubFactory(ToolFactory, active=True)
    capability = factory.SubFactory(CapabilityFactory)
    fit = 4


class ContractFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Contract

    tool = factory.SubFactory(ToolFactory, active=True)
    name = "Subscription"
    starts_on = dt.date(2026, 1, 1)
    ends_on = dt.date(2026, 12, 31)


class CostLineFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CostLine

    tool = factory.SubFactory(ToolFactory, active=True)
    label = factory.Sequence(lambda n: f"Plan {n}")
    amount = Decimal(1200)
    currency = "EUR"
    valid_from = dt.date(2020, 1, 1)


class ExchangeRateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ExchangeRate

    currency, into = "USD", "EUR"
    on = factory.LazyFunction(clock.today)
    rate = Decimal("0.9")


class ToolRequestFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ToolRequest

    tool = factory.SubFactory(ToolFactory)
    title = factory.Sequence(lambda n: f"Request {n}")


class WaiverFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Waiver

    tool = factory.SubFactory(ToolFactory)
    reason = "The old one ends next week."
    expires_on = factory.LazyFunction(lambda: clock.today() + dt.timedelta(days=60))


class LicenceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Licence

    tool = factory.SubFactory(ToolFactory, active=True)
    name = factory.Sequence(lambda n: f"Plan {n}")
    quantity = 5


class SeatFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Seat

    licence = factory.SubFactory(LicenceFactory)
    holder = factory.Sequence(lambda n: f"user{n}@example.com")
    assigned_on = dt.date(2025, 1, 1)


class SampleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = UtilisationSample

    tool = factory.SubFactory(ToolFactory, active=True)
    numerator, denominator = Decimal(20), Decimal(40)
    period_from, period_to = dt.date(2026, 10, 1), dt.date(2026, 10, 31)
    source = "Admin console"


class RenewalDecisionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = RenewalDecision

    contract = factory.SubFactory(ContractFactory)
    reason = "It is used every day."


class CriteriaSetFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CriteriaSet

    name = factory.Sequence(lambda n: f"Criteria {n}")


class CriterionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Criterion

    criteria = factory.SubFactory(CriteriaSetFactory)
    name = factory.Sequence(lambda n: f"Criterion {n}")
    question = "How well?"
    weight = 25


class EvaluationFactory(factory.django.DjangoModelFactory):
    """An evaluation by the criteria in force."""

    class Meta:
        model = Evaluation

    title = "A tool for webinars"
    need = "Five hundred people at once."
    lead = factory.LazyFunction(lambda: person_with(Role.OPS))
    criteria = factory.LazyFunction(lambda: CriteriaSet.objects.filter(state="active").first() or ship_criteria())


class CandidateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Candidate

    evaluation = factory.SubFactory(EvaluationFactory)
    name = factory.Sequence(lambda n: f"Candidate {n}")
    integration_assessment = "Through its API."
    licence_1 = licence_2 = licence_3 = Decimal(1000)
    implementation_1 = implementation_2 = implementation_3 = Decimal(100)
    people_1 = people_2 = people_3 = Decimal(100)
    exit_1 = exit_2 = exit_3 = Decimal(100)


class DataEntityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DataEntity

    name = factory.Sequence(lambda n: f"Entity {n}")


class DataFieldFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DataField

    entity = factory.SubFactory(DataEntityFactory)
    name = factory.Sequence(lambda n: f"Field {n}")


class DataDefinitionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DataDefinition

    entity = factory.SubFactory(DataEntityFactory)
    text = "What we count."


class SystemOfRecordFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SystemOfRecord

    entity = factory.SubFactory(DataEntityFactory)
    tool = factory.SubFactory(ToolFactory, active=True)


class IntegrationFactory(factory.django.DjangoModelFactory):
    """An integration; `live=True` brings it there with something to carry, `flowing=False` leaves that out."""

    class Meta:
        model = Integration

    name = factory.Sequence(lambda n: f"Integration {n}")
    source = factory.SubFactory(ToolFactory, active=True)
    target = factory.SubFactory(ToolFactory, active=True)

    @classmethod
    def _create(cls, model_class, *args, live=False, flowing=True, **kwargs):
        made = super()._create(model_class, *args, **kwargs)
        if live:
            if flowing:
                DataFlowFactory(integration=made)
            made.state = "live"
            with transition(Integration):
                made.save(update_fields=["state"])
        return made


class DataFlowFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DataFlow

    integration = factory.SubFactory(IntegrationFactory)
    entity = factory.SubFactory(DataEntityFactory)


class TransferFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Transfer

    integration = factory.SubFactory(IntegrationFactory, live=True)
    ok = True
    source = "Log"


class OwnerDutyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OwnerDuty

    tool = factory.SubFactory(ToolFactory, active=True)
    kind = "health"
    due_on = dt.date(2026, 12, 1)


class DutyDoneFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DutyDone

    duty = factory.SubFactory(OwnerDutyFactory)
    by = factory.LazyFunction(lambda: person_with(Role.OPS))
    was_due_on = dt.date(2026, 12, 1)
    evidence = "Looked through the errors."


class AdminStandardFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AdminStandard

    kind = "backups"
    title = factory.Sequence(lambda n: f"Standard {n}")
    text = "Once a month."


class StandardCheckFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = StandardCheck

    standard = factory.SubFactory(AdminStandardFactory)
    tool = factory.SubFactory(ToolFactory, active=True)


class ServiceTargetFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ServiceTarget

    tool = factory.SubFactory(ToolFactory, active=True)


class NamingRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = NamingRule

    name = factory.Sequence(lambda n: f"Rule {n}")
    pattern = "{name}"


class StackPolicyFactory(factory.django.DjangoModelFactory):
    """The one there is."""

    class Meta:
        model = StackPolicy
        django_get_or_create = ("only",)

    only = True
