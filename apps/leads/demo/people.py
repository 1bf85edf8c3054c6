"""The demo's leads: some four hundred invented people in six territories, the same ones every time."""

import random
from collections.abc import Iterator
from typing import Any

NUMBER = 420
SEED = 20260101
FIRST = (
    "Anna",
    "Ben",
    "Carla",
    "David",
    "Elin",
    "Farah",
    "Georg",
    "Hanna",
    "Ivan",
    "Julia",
    "Karim",
    "Lena",
    "Mateo",
    "Nora",
    "Oskar",
    "Paula",
    "Quentin",
    "Rosa",
    "Samir",
    "Tilda",
    "Uwe",
    "Vera",
    "Wim",
    "Xenia",
    "Yusuf",
    "Zoe",
)
LAST = (
    "Ahlgren",
    "Bergmann",
    "Castellano",
    "Dufresne",
    "Eklund",
    "Faber",
    "Grünwald",
    "Hoekstra",
    "Ibarra",
    "Janssen",
    "Kowalczyk",
    "Lindgren",
    "Moretti",
    "Nyström",
    "Okafor",
    "Pereira",
    "Quist",
    "Rautio",
    "Sandoval",
    "Thorsen",
    "Ulrich",
    "Vasquez",
    "Weiss",
    "Yilmaz",
    "Zander",
)
COMPANY = (
    "Nordlicht",
    "Alpenblick",
    "Brightwell",
    "Cobalt",
    "Delphin",
    "Eisvogel",
    "Fjordline",
    "Granit",
    "Havenport",
    "Isar",
    "Juniper",
    "Kestrel",
    "Larkfield",
    "Meridian",
    "Nimbus",
    "Orchard",
    "Polaris",
    "Quarry",
    "Riverbend",
    "Sundial",
)
TRADE = (
    "Logistics",
    "Instruments",
    "Foods",
    "Energy",
    "Textiles",
    "Robotics",
    "Software",
    "Pharma",
    "Tools",
    "Insurance",
)
PLACES = {
    "DACH": ("Germany", "Austria", "Switzerland"),
    "Nordics": ("Sweden", "Norway", "Denmark", "Finland"),
    "UK and Ireland": ("United Kingdom", "Ireland"),
    "Benelux": ("Netherlands", "Belgium"),
    "Southern Europe": ("Spain", "Italy", "Portugal"),
    "North America": ("United States", "Canada"),
}
SELLERS = {"North America": "sales", "UK and Ireland": "sales_2", "Nordics": "sales_2", "DACH": "sales"}
ORIGINS = ("Landing page", "Website chat", "Lead import", "Event list", "API")
SOURCES = ("Organic search", "Paid search", "Direct traffic", "Referral", "LinkedIn", "Partner", "Webinar")
ACTIVITIES = (
    "Email opened",
    "Email link clicked",
    "Page visited",
    "Form submitted",
    "Webinar attended",
    "Demo requested",
)
QUALITIES = ("", "High in relevance", "Might be", "Not sure", "Low in relevance")


def invented_leads() -> Iterator[dict[str, Any]]:
    """Yield the leads; the seller of the territory stands under `seller` (empty: nobody yet)."""
    dice = random.Random(SEED)  # noqa: S311  # the same people every time, no secret
    for number in range(1, NUMBER + 1):
        territory = dice.choices(list(PLACES), weights=(30, 18, 17, 10, 12, 13))[0]
        first, last = dice.choice(FIRST), dice.choice(LAST)
        visits = min(40, int(dice.expovariate(0.28)))
        yield {
            "external_id": f"{100_000 + number}",
            "record_source": "hubspot",
            "name": f"{first} {last}",
            "email": f"lead{number}@example.org",
            "company": f"{dice.choice(COMPANY)} {dice.choice(TRADE)}",
            "country": dice.choice(PLACES[territory]),
            "territory": territory,
            "origin": dice.choice(ORIGINS),
            "source": dice.choices(SOURCES, weights=(28, 20, 22, 8, 12, 4, 6))[0],
            "total_visits": visits,
            "seconds_on_site": visits * dice.randint(20, 240),
            "last_activity": dice.choice(ACTIVITIES),
            "last_notable_activity": dice.choice(ACTIVITIES),
            "quality": dice.choice(QUALITIES),
            "converted": False,
            "seller": SELLERS.get(territory, "") if dice.random() < 0.8 else "",
        }


def stage_of_leads() -> list[int]:
    """Return for each lead how many stages it has moved on; most stay where they came in."""
    dice = random.Random(SEED + 1)  # noqa: S311  # the same every time, no secret
    return [dice.choices((0, 1, 2, 3, 4), weights=(66, 18, 9, 6, 1))[0] for _ in range(NUMBER)]
