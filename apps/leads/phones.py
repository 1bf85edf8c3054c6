"""Phones: kept as E.164, read as people write them, with the country of the lead where the number names none."""

from functools import lru_cache

import phonenumbers
from django.core.exceptions import ValidationError
from phonenumbers.geodata.locale import LOCALE_DATA

from apps.core.errors import InvalidInput
from apps.core.exchange.values import quoted

LONGEST = 40
_ALSO = {
    "usa": "US",
    "united states of america": "US",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "holland": "NL",
    "czech republic": "CZ",
    "türkiye": "TR",
    "south korea": "KR",
    "russian federation": "RU",
}


@lru_cache(maxsize=1)
def regions() -> dict[str, str]:
    """Return the ISO codes of all countries, by their names in English and their own languages, in small letters."""
    found = dict(_ALSO)
    for region in phonenumbers.SUPPORTED_REGIONS:
        found[region.lower()] = region
        for name in LOCALE_DATA.get(region, {}).values():
            if not name.startswith("*"):
                found.setdefault(name.lower(), region)
    for region in phonenumbers.SUPPORTED_REGIONS:  # the English name is never somebody else's
        found[_english(region).lower()] = region
    return found


def _english(region: str) -> str:
    """Return the English name of a country; “*de” there means: as in German."""
    names = LOCALE_DATA.get(region, {})
    name = names.get("en", region)
    return names.get(name[1:], region) if name.startswith("*") else name


def region_of(country: str) -> str:
    """Return the ISO code of a country as people write it, "" where it is not known."""
    return regions().get(country.strip().lower(), "")


def e164(text: str, *, country: str = "") -> str:
    """Return a phone as E.164.

    Args:
        text: as it was written.
        country: of the lead, by name or ISO code; read where the number has no country code.

    Raises:
        InvalidInput: it cannot be dialled, or names no country and none is known.
    """
    return _as_e164(_read(text, country)[0])


def e164_of(text: str, *, country: str) -> tuple[str, str | None]:
    """Return a phone as E.164, and that it is of another country than its lead, or None: both from one reading.

    Raises:
        InvalidInput: as `e164` says.
    """
    number, its = _read(text, country)
    return _as_e164(number), _elsewhere(number, its, country)


def refuse_elsewhere(phone: str, *, country: str) -> str | None:
    """Return that a phone (E.164) is of another country than its lead, None where it is not, or nothing is known."""
    if not phone or not region_of(country):
        return None
    number = phonenumbers.parse(phone, None)
    return _elsewhere(number, phonenumbers.region_code_for_number(number), country)


def _read(text: str, country: str) -> tuple[phonenumbers.PhoneNumber, str | None]:
    if len(text) > LONGEST:
        raise InvalidInput(f"{quoted(text[:LONGEST])}… is too long for a phone.")
    region = region_of(country)
    try:
        number = phonenumbers.parse(f"+{text[2:]}" if text.startswith("00") else text, region or None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and not region:
            raise InvalidInput(f"{quoted(text)} has no country code; write it as +49 30 901820.") from error
        raise InvalidInput(f"{quoted(text)} is no phone.") from error
    its = phonenumbers.region_code_for_number(number)
    if its is None or not phonenumbers.is_valid_number_for_region(number, its):
        there = f" in {country}" if region and not text.strip().startswith(("+", "00")) else ""
        raise InvalidInput(
            f"{quoted(text)} is no phone that can be dialled{there}; write it with its country code, as +49 30 901820."
        )
    return number, its


def _as_e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _elsewhere(number: phonenumbers.PhoneNumber, its: str | None, country: str) -> str | None:
    region = region_of(country)
    if not region or its is None or its == region:
        return None
    if number.country_code == phonenumbers.country_code_for_region(region):
        return None
    return f"The phone is one of {_english(its)}, but the country is {country}; one of the two is wrong."


def as_field(text: str, *, country: str) -> str:
    """Return a phone as E.164 for a form, "" for none.

    Raises:
        ValidationError: it cannot be dialled.
    """
    if not text.strip():
        return ""
    try:
        return e164(text, country=country)
    except InvalidInput as refusal:
        raise ValidationError({"phone": refusal.message}) from refusal
