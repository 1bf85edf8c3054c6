"""What the demo is made of, read from the YAML files beside this module."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from apps.processes.domain.flow import in_sequence, key_from
from apps.processes.models.values import Flow, FlowStep

HERE = Path(__file__).parent
KINDS = {"check": "check", "verify": "check", "compare": "check", "approv": "approval", "record": "evidence"}
KINDS |= {"file": "evidence", "note": "evidence"}
ROLES = {
    "campaign_manager": "Campaign manager",
    "campaign_manager_2": "Campaign manager",
    "specialist": "Automation specialist",
    "specialist_2": "Automation specialist",
    "analyst": "Data analyst",
    "copywriter": "Author",
    "designer": "Creative lead",
    "manager": "Marketing operations manager",
}


@dataclass(frozen=True)
class DemoTool:
    """One tool: what it is, who answers for it, what a year costs; `moves` are taken after it came in as active."""

    name: str
    vendor: str
    function: str
    owner: str
    backup: str
    team: str
    tier: str
    data: str
    cost: str
    moves: tuple[tuple[str, str], ...] = ()
    integration: str = "SAML"
    personal: str = "yes"
    sub_processor: str = "yes"
    is_idea: bool = False


@dataclass(frozen=True)
class DemoSOP:
    """One procedure: its steps, who wrote it, who approved it, and how far its newest version has come.

    `fate` of the newest version: "effective", "second" (a second version in force), "in_review", "changes" (sent back),
    "draft" (never sent), "revising" (a draft beside the version in force).
    """

    title: str
    family: str
    summary: str
    steps: tuple[str, ...]
    author: str
    approver: str
    owner: str
    backup: str
    fate: str
    days_ago: int
    review_every: int = 3

    def all_steps(self, version: int) -> tuple[str, ...]:
        """Return what is done; a later version has one step more."""
        more = ("Ask two people who follow this whether anything is unclear",) if version > 1 else ()
        return (*self.steps, *more)

    def flow(self, *, version: int = 1) -> Flow:
        """Return the steps as a flow: what checks is a check, what sends for approval an approval."""
        made: list[FlowStep] = []
        for title in self.all_steps(version):
            kind = next((kind for word, kind in KINDS.items() if word in title.lower()), "manual")
            key = key_from(title, [step.key for step in made])
            role = ROLES.get(self.author, "Process owner")
            made.append(FlowStep(key, title[:150], kind=kind, role=role, minutes=15 + 15 * (len(title) % 4)))
        return in_sequence(made)

    def text(self, *, version: int = 1) -> str:
        """Return the procedure as people would have written it."""
        numbered = "\n".join(f"{number}. {step}." for number, step in enumerate(self.all_steps(version), start=1))
        return (
            f"## Purpose\n\n{self.summary}\n\n## Steps\n\n{numbered}\n\n## When something goes wrong\n\n"
            "Stop, tell the owner of this procedure, and note what happened. **Do not** work around a step: "
            "if it cannot be done, it has to be changed.\n"
        )


@dataclass(frozen=True)
class DemoCampaign:
    """One campaign: its plan, its people, and how far it has come; days are counted from today."""

    name: str
    channel: str
    objective: str
    audience: str
    metrics: str
    budget: int
    starts: int
    ends: int
    author: str
    approver: str
    fate: str
    results: str = ""
    currency: str = "EUR"


def tools() -> list[DemoTool]:
    """Return the stack."""
    return [DemoTool(**each) for each in _read("tools.yml")]


def procedures() -> list[DemoSOP]:
    """Return the procedures."""
    return [DemoSOP(**each) for each in _read("procedures.yml")]


def campaigns() -> list[DemoCampaign]:
    """Return the campaigns."""
    return [DemoCampaign(**each) for each in _read("campaigns.yml")]


def _read(name: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return read
